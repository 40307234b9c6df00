#include "run_tool.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <thread>

#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

namespace vecdb::test {
namespace {

struct Channel {
    int read_end = -1;
    int write_end = -1;
};

Channel open_pipe() {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) throw std::runtime_error("no pipe");
    return {ends[0], ends[1]};
}

Channel open_terminal() {
    Channel channel;
    if (::openpty(&channel.read_end, &channel.write_end, nullptr, nullptr, nullptr) != 0) {
        throw std::runtime_error("no pseudo-terminal");
    }
    return channel;
}

// A terminal whose other end is closed reads as an error, a pipe as an end; both mean "no more".
std::string read_all(int descriptor) {
    std::string all;
    std::array<char, 4096> buffer{};
    for (ssize_t n = 0; (n = ::read(descriptor, buffer.data(), buffer.size())) > 0;) {
        all.append(buffer.data(), static_cast<std::size_t>(n));
    }
    ::close(descriptor);
    return all;
}

[[noreturn]] void become_tool(std::vector<char*>& argv,
                              const ToolSetting& setting,
                              const Channel& out,
                              const Channel& err) {
    ::dup2(out.write_end, STDOUT_FILENO);
    ::dup2(err.write_end, STDERR_FILENO);
    for (const int descriptor : {out.read_end, out.write_end, err.read_end, err.write_end}) {
        ::close(descriptor);
    }
    if (!setting.simd.empty()) ::setenv("VECDB_SIMD", setting.simd.c_str(), 1);
    ::execv(argv[0], argv.data());
    ::_exit(127);
}

}  // namespace

ToolRun run_tool(const std::vector<std::string>& arguments, const ToolSetting& setting) {
    std::vector<std::string> words = {VECDB_TOOL};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);

    const Channel out = open_pipe();
    const Channel err = setting.terminal ? open_terminal() : open_pipe();
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error("no process");
    if (child == 0) become_tool(argv, setting, out, err);
    ::close(out.write_end);
    ::close(err.write_end);

    ToolRun run;
    std::thread reader([&run, &out] { run.out = read_all(out.read_end); });
    run.err = read_all(err.read_end);
    reader.join();
    int status = 0;
    ::waitpid(child, &status, 0);
    run.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    return run;
}

bool ToolRun::says(const std::vector<std::string>& parts) const {
    return err.starts_with("vecdb: ") && std::count(err.begin(), err.end(), '\n') == 1 &&
           err.ends_with('\n') && std::all_of(parts.begin(), parts.end(), [&](const auto& part) {
               return err.find(part) != std::string::npos;
           });
}

ToolFiles::ToolFiles()
    : base(write<float>("base.npy", {0, 0, 1, 0, 2, 0, 3, 0, 4, 0}, 2)),
      queries(write<float>("queries.npy", {0.2F, 0, 3.9F, 0}, 2)) {}

}  // namespace vecdb::test
