#include "machine.h"

#include "machine_loops.h"
#include "timing.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <new>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#if defined(__linux__)
#    include <malloc.h>
#    include <sched.h>
#    include <sys/mman.h>
#    include <unistd.h>
#endif

namespace vecdb::bench {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20U;
constexpr std::size_t kStep = 256;  // what MachineLoops::read asks sizes to be a multiple of
constexpr std::size_t kAhead[] = {0, 1024, 2048, 4096, 8192};

// Keeps results alive without a store in the measured loops.
std::atomic<float> sink;

/// Run `work(thread)` on `threads` threads that start together; return the seconds of the whole.
double seconds_together(std::size_t threads, const std::function<void(std::size_t)>& work) {
    if (threads <= 1) return seconds_of([&] { work(0); });
    std::atomic<std::size_t> ready{0};
    std::atomic<bool> go{false};
    std::vector<std::thread> pool;
    for (std::size_t t = 0; t < threads; ++t) {
        pool.emplace_back([&, t] {
            ready.fetch_add(1);
            while (!go.load())
                std::this_thread::yield();
            work(t);
        });
    }
    while (ready.load() != threads)
        std::this_thread::yield();
    return seconds_of([&] {
        go.store(true);
        for (std::thread& thread : pool)
            thread.join();
    });
}

}  // namespace

struct ReadProbe::Buffer {
    explicit Buffer(std::size_t size)
        : bytes(size / kHugePage * kHugePage),
          data(static_cast<std::byte*>(std::aligned_alloc(kHugePage, bytes))) {
        if (data == nullptr) throw std::bad_alloc();
#if defined(__linux__)
        // Advice: where it is not taken, small pages cost one to three percent.
        static_cast<void>(madvise(data, bytes, MADV_HUGEPAGE));
#endif
        // Not zeros: an untouched page is one shared page of zeros, which stays in the cache.
        float* values = reinterpret_cast<float*>(data);
        for (std::size_t i = 0; i < bytes / sizeof(float); ++i) {
            values[i] = static_cast<float>(i % 1021);
        }
    }
    ~Buffer() {
        std::free(data);
    }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    Buffer(Buffer&&) = delete;
    Buffer& operator=(Buffer&&) = delete;

    /// Read everything once; return GB/s.
    [[nodiscard]] double read(std::size_t threads, std::size_t ahead) const {
        const std::size_t part = bytes / threads / kStep * kStep;
        const double seconds = seconds_together(threads, [&](std::size_t t) {
            sink.store(machine_loops().read(data + t * part, part, ahead));
        });
        return static_cast<double>(part * threads) / seconds / 1e9;
    }

    std::size_t bytes;
    std::byte* data;
    std::map<std::size_t, std::size_t> chosen;  // threads -> bytes ahead
};

ReadProbe::ReadProbe(std::size_t bytes) : buffer_(std::make_unique<Buffer>(bytes)) {}
ReadProbe::~ReadProbe() = default;
ReadProbe::ReadProbe(ReadProbe&&) noexcept = default;
ReadProbe& ReadProbe::operator=(ReadProbe&&) noexcept = default;

std::size_t ReadProbe::ahead_for(std::size_t threads) {
    const auto known = buffer_->chosen.find(threads);
    if (known != buffer_->chosen.end()) return known->second;
    std::size_t chosen = 0;
    double fastest = 0;
    for (const std::size_t ahead : kAhead) {
        std::vector<double> rates;
        for (int pass = 0; pass < 3; ++pass)
            rates.push_back(buffer_->read(threads, ahead));
        const double rate = median(std::move(rates));
        if (rate > fastest) {
            fastest = rate;
            chosen = ahead;
        }
    }
    buffer_->chosen[threads] = chosen;
    return chosen;
}

double ReadProbe::pass(std::size_t threads) {
    return buffer_->read(threads, ahead_for(threads));
}

Rate ReadProbe::measure(std::size_t threads, std::size_t passes) {
    std::vector<double> rates;
    for (std::size_t i = 0; i < passes; ++i)
        rates.push_back(pass(threads));
    const double best = *std::max_element(rates.begin(), rates.end());
    return {median(std::move(rates)), best};
}

std::string ReadProbe::pattern(std::size_t threads) {
    const std::size_t ahead = ahead_for(threads);
    return ahead == 0 ? "no software prefetch" : "prefetch " + std::to_string(ahead) + " B ahead";
}

double multiply_pass(std::size_t threads) {
    const MachineLoops& loops = machine_loops();
    // 12 chains on two multipliers: about 6 cycles a round, some 20 ms at 3 GHz.
    constexpr std::size_t kRounds = 10'000'000;
    const double seconds =
        seconds_together(threads, [&](std::size_t) { sink.store(loops.multiply(kRounds)); });
    return static_cast<double>(kRounds * loops.flops_per_round * threads) / seconds / 1e9;
}

Rate measure_multiply(std::size_t threads, std::size_t passes) {
    std::vector<double> rates;
    for (std::size_t i = 0; i < passes; ++i)
        rates.push_back(multiply_pass(threads));
    const double best = *std::max_element(rates.begin(), rates.end());
    return {median(std::move(rates)), best};
}

#if defined(__linux__)
namespace {

void run_on(const std::vector<std::size_t>& cpus) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const std::size_t cpu : cpus) {
        if (cpu < CPU_SETSIZE) CPU_SET(cpu, &set);
    }
    if (sched_setaffinity(0, sizeof(set), &set) != 0) {
        throw std::runtime_error("this process may not run on CPU " + std::to_string(cpus.front()));
    }
}

}  // namespace

Pinned::Pinned(std::optional<std::size_t> cpu) {
    if (!cpu) return;
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) != 0) return;
    std::vector<std::size_t> before;
    for (std::size_t i = 0; i < CPU_SETSIZE; ++i) {
        if (CPU_ISSET(i, &set)) before.push_back(i);
    }
    run_on({*cpu});
    before_ = std::move(before);
}

Pinned::~Pinned() {
    try {
        if (!before_.empty()) run_on(before_);
    } catch (const std::exception&) {
        // The CPUs have been taken away meanwhile; the thread stays where it is.
    }
}
#else
Pinned::Pinned(std::optional<std::size_t>) {}
Pinned::~Pinned() = default;
#endif

std::string_view probe_vectors() {
    return machine_loops().name;
}

std::string cpu_name() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        const std::size_t colon = line.find(": ");
        if (line.starts_with("model name") && colon != std::string::npos) {
            return line.substr(colon + 2);
        }
    }
    return "unknown";
}

double resident_bytes() {
#if defined(__linux__)
    malloc_trim(0);
    std::ifstream file("/proc/self/statm");
    double pages = 0;
    file >> pages >> pages;  // the second number is the resident ones
    return pages * static_cast<double>(sysconf(_SC_PAGESIZE));
#else
    return 0;
#endif
}

std::size_t usable_cpus() {
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) == 0) {
        return static_cast<std::size_t>(CPU_COUNT(&set));
    }
#endif
    return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace vecdb::bench
