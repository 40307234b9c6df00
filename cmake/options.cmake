# Every option of the build. Those for developers are on only when vecdb is the top-level project.

option(VECDB_WITH_OPENMP "Run parallel work through OpenMP; off: std::thread" ON)
option(VECDB_INSTALL "Make install rules" ${PROJECT_IS_TOP_LEVEL})
option(VECDB_BUILD_TOOLS "Build the vecdb tool (needs CLI11 and nlohmann-json)" ${PROJECT_IS_TOP_LEVEL})
option(VECDB_BUILD_EXAMPLES "Build the example programs" ${PROJECT_IS_TOP_LEVEL})
option(VECDB_BUILD_TESTS "Build the tests (needs Catch2)" ${PROJECT_IS_TOP_LEVEL})
option(VECDB_BUILD_BENCH "Build the benches (needs Google Benchmark; Faiss as rival)" OFF)
option(VECDB_WITH_CUDA "Build the CUDA path; nothing uses it yet" OFF)
option(VECDB_WERROR "Make warnings errors" OFF)
option(VECDB_COVERAGE "Build for coverage reports" OFF)
option(VECDB_FUZZ "Build the fuzz targets (needs clang)" OFF)
set(VECDB_SANITIZE "" CACHE STRING "Sanitizers for all of vecdb's targets: 'address;undefined' or 'thread'")
set(VECDB_SHARED "" CACHE STRING "ON or OFF overrides BUILD_SHARED_LIBS for vecdb alone")

# Only presets and the top level choose a build type; a parent project keeps its own.
if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()
if(NOT VECDB_SHARED STREQUAL "")
  set(BUILD_SHARED_LIBS ${VECDB_SHARED})
endif()
