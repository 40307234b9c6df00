# What a consumer sees of the library: language level, headers, visibility; and what it rests on.

include(GenerateExportHeader)
generate_export_header(vecdb BASE_NAME VECDB
                       EXPORT_FILE_NAME ${PROJECT_BINARY_DIR}/include/vecdb/export.h)

target_compile_features(vecdb PUBLIC cxx_std_20)
target_include_directories(vecdb
  PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>
         $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
  PRIVATE ${PROJECT_SOURCE_DIR}/src)
set_target_properties(vecdb PROPERTIES
  POSITION_INDEPENDENT_CODE ON
  CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})

get_target_property(vecdb_type vecdb TYPE)
if(vecdb_type STREQUAL "STATIC_LIBRARY")
  target_compile_definitions(vecdb PUBLIC VECDB_STATIC_DEFINE)
endif()

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
target_link_libraries(vecdb PRIVATE Threads::Threads)
find_package(Eigen3 REQUIRED NO_MODULE)
target_include_directories(vecdb SYSTEM PRIVATE  # headers only: nothing of it reaches a consumer
  $<TARGET_PROPERTY:Eigen3::Eigen,INTERFACE_INCLUDE_DIRECTORIES>)
find_path(VECDB_XXHASH_INCLUDE_DIR xxhash.h REQUIRED)  # compiled in: nothing of it reaches a consumer
mark_as_advanced(VECDB_XXHASH_INCLUDE_DIR)
target_include_directories(vecdb SYSTEM PRIVATE ${VECDB_XXHASH_INCLUDE_DIR})
if(VECDB_WITH_OPENMP)
  find_package(OpenMP REQUIRED COMPONENTS CXX)
  target_link_libraries(vecdb PRIVATE OpenMP::OpenMP_CXX)
  target_compile_definitions(vecdb PRIVATE VECDB_WITH_OPENMP=1)
endif()
if(VECDB_WITH_FAISS)
  if(NOT VECDB_WITH_OPENMP)
    message(FATAL_ERROR "VECDB_WITH_FAISS needs VECDB_WITH_OPENMP: Faiss brings OpenMP along")
  endif()
  find_package(faiss CONFIG REQUIRED)
  target_link_libraries(vecdb PRIVATE faiss)
  set_property(SOURCE ${PROJECT_SOURCE_DIR}/src/index/faiss_bridge.cpp APPEND PROPERTY COMPILE_DEFINITIONS
               VECDB_WITH_FAISS=1)
  if(vecdb_type STREQUAL "SHARED_LIBRARY" AND NOT APPLE)
    target_link_options(vecdb PRIVATE -Wl,--exclude-libs,libfaiss.a)  # a consumer may have a Faiss of its own
  endif()
endif()
