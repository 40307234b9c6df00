# Install rules: library, headers, CMake package, pkg-config file. The installed tree can be moved.

include(CMakePackageConfigHelpers)
set(vecdb_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/vecdb)

install(TARGETS vecdb EXPORT vecdb-targets
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/vecdb DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h")
install(FILES ${PROJECT_BINARY_DIR}/include/vecdb/export.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/vecdb)

# What the linker of a static library's user must find. A shared library brings its own.
set(vecdb_dependencies "")
set(vecdb_pc_cflags "")
set(vecdb_pc_libs_private "")
if(vecdb_type STREQUAL "STATIC_LIBRARY")
  set(vecdb_dependencies "set(THREADS_PREFER_PTHREAD_FLAG ON)\nfind_dependency(Threads)")
  set(vecdb_pc_cflags " -DVECDB_STATIC_DEFINE")
  set(vecdb_pc_libs_private " -pthread")
  if(VECDB_WITH_OPENMP)
    string(APPEND vecdb_dependencies "\nfind_dependency(OpenMP COMPONENTS CXX)")
    string(PREPEND vecdb_pc_libs_private " ${OpenMP_CXX_FLAGS}")
  endif()
  if(VECDB_WITH_FAISS)  # after OpenMP, whose target its package names without finding it
    string(APPEND vecdb_dependencies "\nfind_dependency(faiss CONFIG)")
    string(PREPEND vecdb_pc_libs_private " -lfaiss -llapack -lblas")
  endif()
endif()

install(EXPORT vecdb-targets NAMESPACE vecdb:: DESTINATION ${vecdb_cmake_dir})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/vecdb-config.cmake.in
                              ${PROJECT_BINARY_DIR}/vecdb-config.cmake
                              INSTALL_DESTINATION ${vecdb_cmake_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/vecdb-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/vecdb-config.cmake ${PROJECT_BINARY_DIR}/vecdb-config-version.cmake
        DESTINATION ${vecdb_cmake_dir})

# pkg-config finds the prefix from where the .pc file lies, except for directories given as absolute paths.
file(RELATIVE_PATH vecdb_pc_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
set(vecdb_pc_prefix "\${pcfiledir}/${vecdb_pc_prefix}")
cmake_path(APPEND vecdb_pc_libdir "\${prefix}" ${CMAKE_INSTALL_LIBDIR})
cmake_path(APPEND vecdb_pc_includedir "\${prefix}" ${CMAKE_INSTALL_INCLUDEDIR})
configure_file(${PROJECT_SOURCE_DIR}/cmake/vecdb.pc.in ${PROJECT_BINARY_DIR}/vecdb.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/vecdb.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
