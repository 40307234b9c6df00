# Dataset files: one line per source. A new format is one row in file_format.cpp, and a new layout
# one more branch in layout.cpp and dataset_writer.cpp.
target_sources(vecdb PRIVATE
  src/persist/formats/dataset_reader.cpp
  src/persist/formats/dataset_whole.cpp
  src/persist/formats/dataset_writer.cpp
  src/persist/formats/file_format.cpp
  src/persist/formats/input_file.cpp
  src/persist/formats/item_type.cpp
  src/persist/formats/layout.cpp
  src/persist/formats/npy_header.cpp
  src/persist/formats/output_file.cpp
)
