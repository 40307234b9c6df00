#include "compare/sections.h"

namespace vecdb::bench {

void run_machine(Bench& bench) {
    bench.report.section("machine", "This machine");
    const std::size_t passes = bench.options.rounds;
    for (const std::size_t threads : bench.options.threads) {
        const Rate read = bench.read_probe.measure(threads, passes);
        const Rate multiply = measure_multiply(threads, passes);
        bench.report.row({
            count("threads", "threads", threads),
            text("vectors", "vectors", std::string(probe_vectors())),
            number("read_gb_s", "read GB/s, median", read.median, 2),
            number("read_gb_s_best", "best", read.best, 2),
            text("read_pattern", "read pattern", bench.read_probe.pattern(threads)),
            number("multiply_gflop_s", "multiply-add GFLOP/s, median", multiply.median, 1),
            number("multiply_gflop_s_best", "best", multiply.best, 1),
        });
    }
}

}  // namespace vecdb::bench
