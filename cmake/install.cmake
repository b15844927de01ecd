# What `cmake --install` puts where: headers, archives, commands, the CMake package `impasto` and impasto.pc.
#
# The package has up to three parts. find_package(impasto) gives impasto::impasto: pixels in, pixels out.
# find_package(impasto COMPONENTS image_io) adds impasto::image_io: picture files, and with them libvips.
# find_package(impasto COMPONENTS cuda), where built with IMPASTO_CUDA_LINK=STATIC, adds impasto::cuda: the CUDA backend, and with it the toolkit.
include(CMakePackageConfigHelpers)

set(impasto_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/impasto)

install(FILES
  include/impasto/error.h
  include/impasto/image.h
  include/impasto/options.h
  include/impasto/precision.h
  include/impasto/session.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/impasto)
install(TARGETS impasto EXPORT impasto-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT impasto-targets NAMESPACE impasto:: DESTINATION ${impasto_package_dir})

if(IMPASTO_BUILD_COMMAND)
  install(FILES include/impasto/image_io.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/impasto)
  set_target_properties(impasto_image_io PROPERTIES EXPORT_NAME image_io)
  install(TARGETS impasto_image_io EXPORT impasto-image_io-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT impasto-image_io-targets NAMESPACE impasto:: DESTINATION ${impasto_package_dir})
  install(TARGETS impasto_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

if(IMPASTO_CUDA AND IMPASTO_CUDA_LINK STREQUAL STATIC)
  set_target_properties(impasto_cuda PROPERTIES EXPORT_NAME cuda)
  install(TARGETS impasto_cuda EXPORT impasto-cuda-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT impasto-cuda-targets NAMESPACE impasto:: DESTINATION ${impasto_package_dir})
  install(FILES cmake/FindCuDNNGraph.cmake DESTINATION ${impasto_package_dir})
endif()

configure_package_config_file(cmake/impasto-config.cmake.in ${PROJECT_BINARY_DIR}/impasto-config.cmake
  INSTALL_DESTINATION ${impasto_package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/impasto-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/impasto-config.cmake
  ${PROJECT_BINARY_DIR}/impasto-config-version.cmake
  cmake/FindHDF5Static.cmake
  DESTINATION ${impasto_package_dir})

# pkg-config knows nothing of imported targets: what the archive needs, spelled out for `pkg-config --static --libs impasto`.
find_package(HDF5Static REQUIRED)
get_target_property(impasto_pc_hdf5_needs HDF5Static::HDF5Static INTERFACE_LINK_LIBRARIES)
list(JOIN impasto_pc_hdf5_needs " " impasto_pc_hdf5_needs)
file(RELATIVE_PATH impasto_pc_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" impasto_pc_prefix ${impasto_pc_prefix})
configure_file(cmake/impasto.pc.in ${PROJECT_BINARY_DIR}/impasto.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/impasto.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
