// Any bytes as a dataset file of every format: opened and read to the end, or refused. Run it with
// -malloc_limit_mb and -timeout; beyond those it checks that no header promises more than the file.

#include <vecdb/dataset_io.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

namespace {

using vecdb::DatasetReader;
using vecdb::FileFormat;

void require(bool condition) {
    if (!condition) std::abort();
}

/// A file in memory with a path.
class MemoryFile {
  public:
    MemoryFile(const std::uint8_t* bytes, std::size_t size)
        : descriptor_(::memfd_create("fuzz", MFD_CLOEXEC)) {
        require(descriptor_ >= 0);
        for (std::size_t done = 0; done < size;) {
            const ssize_t put = ::write(descriptor_, bytes + done, size - done);
            require(put > 0);
            done += static_cast<std::size_t>(put);
        }
    }
    ~MemoryFile() { ::close(descriptor_); }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;

    [[nodiscard]] std::string path() const {
        return "/proc/self/fd/" + std::to_string(descriptor_);
    }

  private:
    int descriptor_;
};

void read_all(const DatasetReader& reader, std::size_t file_bytes) {
    const vecdb::DatasetInfo& info = reader.info();
    require(info.dim >= 1 && info.data_offset <= file_bytes);
    require(info.rows <= file_bytes && (info.rows == 0 || info.dim <= file_bytes / info.rows));
    const std::uint64_t step = std::max<std::uint64_t>(1, info.rows / 3);
    for (std::uint64_t first = 0; first < info.rows; first += step) {
        const std::uint64_t rows = std::min(step, info.rows - first);
        std::vector<float> floats(rows * info.dim);
        const bool floats_read = reader.read_floats(first, rows, floats).ok();
        std::vector<std::int64_t> ints(rows * info.dim);
        const bool ints_read = reader.read_ints(first, rows, ints).ok();
        require(floats_read || !ints_read);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const MemoryFile file(bytes, size);
    for (const FileFormat format : {FileFormat::kNpy,
                                    FileFormat::kFvecs,
                                    FileFormat::kIvecs,
                                    FileFormat::kBvecs,
                                    FileFormat::kFbin,
                                    FileFormat::kIbin,
                                    FileFormat::kU8bin,
                                    FileFormat::kI8bin}) {
        const auto reader = DatasetReader::open(file.path(), format);
        if (reader.ok()) read_all(*reader, size);
        require(reader.ok() || !reader.status().message().empty());
    }
    return 0;
}
