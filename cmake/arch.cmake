# One object library per instruction set: src/simd/arch/<level>.cpp with that level's flags. These are the
# only files with -m flags. A new level is one row here, one file, one row in src/simd/dispatch.cpp.

set(vecdb_arch_levels_x86 scalar sse2 avx2 avx512 avx512vnni)
set(vecdb_arch_levels_arm scalar neon)

set(vecdb_arch_flags_scalar -fno-tree-vectorize)
set(vecdb_arch_flags_sse2 "")
set(vecdb_arch_flags_avx2 -mavx2 -mfma -mf16c -mbmi -mbmi2)
set(vecdb_arch_flags_avx512 ${vecdb_arch_flags_avx2} -mavx512f -mavx512bw -mavx512cd -mavx512dq -mavx512vl)
set(vecdb_arch_flags_avx512vnni ${vecdb_arch_flags_avx512} -mavx512vnni -mavx512vpopcntdq -mavx512bitalg)
set(vecdb_arch_flags_neon "")

function(vecdb_arch_objects target)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    set(levels ${vecdb_arch_levels_x86})
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
    set(levels ${vecdb_arch_levels_arm})
  else()
    set(levels scalar)
  endif()

  find_path(VECDB_XSIMD_INCLUDE_DIR xsimd/xsimd.hpp REQUIRED)
  mark_as_advanced(VECDB_XSIMD_INCLUDE_DIR)

  foreach(level IN LISTS levels)
    set(objects vecdb_arch_${level})
    add_library(${objects} OBJECT src/simd/arch/${level}.cpp)
    target_compile_features(${objects} PRIVATE cxx_std_20)
    target_include_directories(${objects} PRIVATE
      ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include ${PROJECT_BINARY_DIR}/include)
    target_include_directories(${objects} SYSTEM PRIVATE ${VECDB_XSIMD_INCLUDE_DIR})
    set_target_properties(${objects} PROPERTIES
      POSITION_INDEPENDENT_CODE ON CXX_EXTENSIONS OFF
      CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
    # Speed and the one-definition rule both need inlining, in debug builds too; sanitizers would put calls
    # into every load. Coverage counters are left out for the same reason. g++ 12 finds variables without a value
    # in its own AVX-512 header (its bug 105593).
    target_compile_options(${objects} PRIVATE -O3 -fno-math-errno -fno-exceptions -fno-rtti
                           -fno-stack-protector -ffp-contract=off -Wall -Wextra -Wno-ignored-attributes
                           $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
                           $<$<CXX_COMPILER_ID:GNU>:-Wno-uninitialized> ${vecdb_arch_flags_${level}})
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:${objects}>)
    string(TOUPPER ${level} macro)
    list(APPEND definitions VECDB_HAS_${macro}=1)
  endforeach()
  set_property(SOURCE ${PROJECT_SOURCE_DIR}/src/simd/dispatch.cpp APPEND PROPERTY COMPILE_DEFINITIONS
               ${definitions})
  set(vecdb_arch_levels ${levels} PARENT_SCOPE)
endfunction()
