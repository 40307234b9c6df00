#include "collection/operate/background.h"

#include <utility>

namespace vecdb::collection {

Background::~Background() {
    std::thread thread;
    {
        const Lock lock(mutex_);
        stop_ = true;
        if (cancel_ != nullptr) cancel_->cancel();
        thread.swap(thread_);
    }
    changed_.notify_all();
    if (thread.joinable()) thread.join();
}

void Background::post(const void* owner, Job job) {
    {
        const Lock lock(mutex_);
        jobs_.push_back({owner, std::move(job), CancelToken()});
        try {
            if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
        } catch (...) {
            jobs_.pop_back();
            throw;
        }
    }
    changed_.notify_all();
}

void Background::forget(const void* owner) noexcept {
    const Lock lock(mutex_);
    const bool in_job = std::this_thread::get_id() == thread_.get_id();
    while (running_ == owner && !in_job) {
        cancel_->cancel();
        drop_posted(owner);  // the job may post another one
        changed_.wait(mutex_);
    }
    drop_posted(owner);
}

void Background::drop_posted(const void* owner) noexcept {
    std::erase_if(jobs_, [owner](const Posted& each) { return each.owner == owner; });
}

void Background::work() {
    while (do_next())
        changed_.notify_all();
}

/// Wait for a job and do it; returns false when there will be none.
bool Background::do_next() {
    // A list of one, taken over without an allocation, which might fail.
    std::list<Posted> next;
    {
        const Lock lock(mutex_);
        while (jobs_.empty() && !stop_)
            changed_.wait(mutex_);
        if (stop_) return false;
        next.splice(next.begin(), jobs_, jobs_.begin());
        running_ = next.front().owner;
        cancel_ = &next.front().cancel;
    }
    next.front().job(next.front().cancel);
    const Lock lock(mutex_);
    running_ = nullptr;
    cancel_ = nullptr;
    return true;
}

}  // namespace vecdb::collection
