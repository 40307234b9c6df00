#pragma once

/// \file
/// Processes of their own that run a function, tell what they did, and may be killed.

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <functional>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace vecdb::test {

/// What a process tells.
struct Message {
    char kind = 0;
    std::string text;
};

/// The end of a pipe into which a process tells. A message that was told is there although the
/// process is killed.
class Teller {
  public:
    explicit Teller(int descriptor) : descriptor_(descriptor) {}

    void operator()(char kind, std::string_view text = {}) const {
        std::string bytes(1 + sizeof(std::uint32_t), kind);
        const auto size = static_cast<std::uint32_t>(text.size());
        std::memcpy(bytes.data() + 1, &size, sizeof(size));
        bytes += text;
        for (std::size_t at = 0; at < bytes.size();) {
            const ssize_t put = ::write(descriptor_, bytes.data() + at, bytes.size() - at);
            if (put < 0 && errno != EINTR) ::_exit(1);  // nobody listens
            if (put > 0) at += static_cast<std::size_t>(put);
        }
    }

  private:
    int descriptor_;
};

/// The user that as_nobody() becomes.
inline constexpr ::uid_t kNobody = 65'534;

/// The kind of message that says why a process ended before its time.
inline constexpr char kFailed = '!';

/// A process that runs a function and ends; it is killed at the end of this object at the latest.
/// There may be no other threads when it is started.
class Child {
  public:
    explicit Child(const std::function<void(const Teller&)>& work) {
        int ends[2];
        if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
        process_ = ::fork();
        if (process_ < 0) throw std::runtime_error("no process");
        if (process_ == 0) run(work, Teller(ends[1]));
        ::close(ends[1]);
        from_ = ends[0];
    }
    ~Child() {
        kill();
        ::close(from_);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    void signal(int number) const { ::kill(process_, number); }
    /// Kill the process, and return when it is gone.
    void kill() {
        if (ended_) return;
        signal(SIGKILL);
        (void)wait();
    }
    /// Wait for the end. Returns the exit code, or minus the signal that ended the process.
    int wait() {
        if (ended_) return *ended_;
        int status = 0;
        while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
        }
        note_end(status);
        return *ended_;
    }
    [[nodiscard]] bool has_ended() {
        int status = 0;
        if (!ended_ && ::waitpid(process_, &status, WNOHANG) == process_) note_end(status);
        return ended_.has_value();
    }
    /// Wait until the process was stopped by a signal.
    void wait_until_stopped() const {
        int status = 0;
        while (::waitpid(process_, &status, WUNTRACED) < 0 && errno == EINTR) {
        }
        if (!WIFSTOPPED(status)) throw std::runtime_error("the process ended");
    }

    /// Wait for a message. Returns nothing when the process ended and all it told was returned.
    std::optional<Message> next() {
        Message message;
        std::uint32_t size = 0;
        if (!read(&message.kind, 1) || !read(&size, sizeof(size))) return std::nullopt;
        message.text.resize(size);
        if (!read(message.text.data(), size)) return std::nullopt;
        return message;
    }

  private:
    [[noreturn]] static void run(const std::function<void(const Teller&)>& work,
                                 const Teller& tell) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        try {
            work(tell);
            ::_exit(0);
        } catch (const std::exception& error) {
            tell(kFailed, error.what());
        }
        ::_exit(1);
    }

    void note_end(int status) {
        ended_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }

    bool read(void* to, std::size_t size) const {
        for (std::size_t at = 0; at < size;) {
            const ssize_t got = ::read(from_, static_cast<char*>(to) + at, size - at);
            if (got == 0 || (got < 0 && errno != EINTR)) return false;
            if (got > 0) at += static_cast<std::size_t>(got);
        }
        return true;
    }

    pid_t process_ = -1;
    int from_ = -1;
    std::optional<int> ended_;
};

/// Run a function in a process whose user owns nothing, unless this one's user is bound by
/// permissions already. Returns why it failed, empty if it did not; nothing if there can be no such
/// user.
inline std::optional<std::string> as_nobody(const std::function<void()>& work) {
    constexpr char kCannot = 'c';
    Child child([&](const Teller& tell) {
        const bool root = ::geteuid() == 0;
        if (root && (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)) return tell(kCannot);
        work();
    });
    const auto told = child.next();
    if (told) return told->kind == kCannot ? std::nullopt : std::optional(told->text);
    const int code = child.wait();
    return code == 0 ? std::string() : "it ended with " + std::to_string(code);
}

/// A value that a process shares with those that it starts.
template <class T>
class Shared {
  public:
    Shared() {
        void* memory =
            ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) throw std::bad_alloc();
        value_ = new (memory) T();
    }
    ~Shared() { ::munmap(value_, sizeof(T)); }
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;

    T* operator->() const { return value_; }
    T& operator*() const { return *value_; }

  private:
    T* value_;
};

}  // namespace vecdb::test
