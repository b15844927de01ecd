# Finds libhdf5.a, the serial C library. Defines the target HDF5Static::HDF5Static and HDF5Static_VERSION.
#
# CMake's own FindHDF5 is not enough here: it needs the language C in every project that uses ours, and its target hdf5::hdf5
# leaves out what the archive itself needs. The archive, because Debian's shared library brings 39 shared objects along.
# What the archive needs is read from libhdf5.settings, which HDF5's own build leaves beside it.
find_path(HDF5Static_INCLUDE_DIR hdf5.h PATH_SUFFIXES hdf5/serial)
find_library(HDF5Static_LIBRARY NAMES libhdf5.a libhdf5_serial.a PATH_SUFFIXES hdf5/serial)

set(HDF5Static_VERSION "")
if(HDF5Static_INCLUDE_DIR AND EXISTS "${HDF5Static_INCLUDE_DIR}/H5public.h")
  file(STRINGS "${HDF5Static_INCLUDE_DIR}/H5public.h" _hdf5_line REGEX "define H5_VERS_INFO")
  string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" HDF5Static_VERSION "${_hdf5_line}")
endif()

set(_hdf5_needs "")
if(HDF5Static_LIBRARY)
  get_filename_component(_hdf5_directory "${HDF5Static_LIBRARY}" DIRECTORY)
  find_file(HDF5Static_SETTINGS NAMES libhdf5.settings libhdf5_serial.settings PATHS "${_hdf5_directory}" NO_DEFAULT_PATH)
  if(HDF5Static_SETTINGS)
    file(STRINGS "${HDF5Static_SETTINGS}" _hdf5_line REGEX "Extra libraries:")
    string(REGEX REPLACE ".*Extra libraries:" "" _hdf5_line "${_hdf5_line}")
    separate_arguments(_hdf5_needs UNIX_COMMAND "${_hdf5_line}")
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(HDF5Static REQUIRED_VARS HDF5Static_LIBRARY HDF5Static_INCLUDE_DIR HDF5Static_SETTINGS
                                  VERSION_VAR HDF5Static_VERSION)
mark_as_advanced(HDF5Static_INCLUDE_DIR HDF5Static_LIBRARY HDF5Static_SETTINGS)

if(HDF5Static_FOUND AND NOT TARGET HDF5Static::HDF5Static)
  add_library(HDF5Static::HDF5Static STATIC IMPORTED)
  set_target_properties(HDF5Static::HDF5Static PROPERTIES
    IMPORTED_LOCATION "${HDF5Static_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${HDF5Static_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES "${_hdf5_needs}")
endif()
