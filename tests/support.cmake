# What every test is made of.

find_package(Catch2 REQUIRED)

# The library with its hidden symbols. A static vecdb has them; of a shared one the same objects are linked again.
add_library(vecdb_internals INTERFACE)
target_include_directories(vecdb_internals INTERFACE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/tests)
get_target_property(vecdb_type vecdb TYPE)
if(vecdb_type STREQUAL "STATIC_LIBRARY")
  target_link_libraries(vecdb_internals INTERFACE vecdb)
else()
  list(TRANSFORM vecdb_arch_levels REPLACE "(.+)" "$<TARGET_OBJECTS:vecdb_arch_\\1>" OUTPUT_VARIABLE arch_objects)
  add_library(vecdb_objects STATIC $<TARGET_OBJECTS:vecdb> ${arch_objects})
  set_target_properties(vecdb_objects PROPERTIES LINKER_LANGUAGE CXX)
  target_link_libraries(vecdb_objects PRIVATE Threads::Threads)
  if(VECDB_WITH_OPENMP)
    target_link_libraries(vecdb_objects PRIVATE OpenMP::OpenMP_CXX)
  endif()
  if(VECDB_WITH_FAISS)
    find_package(faiss CONFIG REQUIRED)
    target_link_libraries(vecdb_objects PRIVATE faiss)
  endif()
  target_compile_features(vecdb_internals INTERFACE cxx_std_20)
  target_compile_definitions(vecdb_internals INTERFACE VECDB_STATIC_DEFINE)
  target_include_directories(vecdb_internals INTERFACE
    $<TARGET_PROPERTY:vecdb,INTERFACE_INCLUDE_DIRECTORIES>)
  target_link_libraries(vecdb_internals INTERFACE vecdb_objects)
endif()

# Catch2's main, compiled once.
add_library(vecdb_catch STATIC support/main.cpp)
target_include_directories(vecdb_catch PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_compile_features(vecdb_catch PUBLIC cxx_std_20)
target_link_libraries(vecdb_catch PUBLIC Catch2::Catch2)
vecdb_compile_options(vecdb_catch)

# One program from `SOURCES`, and one ctest of the same name that runs it.
function(vecdb_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;LABELS;LIBRARIES")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE vecdb_internals vecdb_catch ${arg_LIBRARIES})
  vecdb_compile_options(${name})
  add_test(NAME ${name} COMMAND ${name})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT})
endfunction()
