# Finds the graph library of cuDNN, all of cuDNN that is linked (it loads the rest itself). Defines the target CuDNNGraph::CuDNNGraph.
# Looks in $CUDNN_ROOT and beside the CUDA toolkit, which must have been found (FindCUDAToolkit).
find_path(CuDNNGraph_INCLUDE_DIR cudnn_graph.h
  HINTS $ENV{CUDNN_ROOT} ${CUDAToolkit_ROOT_DIR} ${CUDAToolkit_INCLUDE_DIRS} PATH_SUFFIXES include)
find_library(CuDNNGraph_LIBRARY NAMES cudnn_graph libcudnn_graph.so.9
  HINTS $ENV{CUDNN_ROOT} ${CUDAToolkit_LIBRARY_DIR} PATH_SUFFIXES lib lib64)

set(CuDNNGraph_VERSION "")
if(CuDNNGraph_INCLUDE_DIR AND EXISTS "${CuDNNGraph_INCLUDE_DIR}/cudnn_version.h")
  file(STRINGS "${CuDNNGraph_INCLUDE_DIR}/cudnn_version.h" _cudnn_lines REGEX "define CUDNN_(MAJOR|MINOR|PATCHLEVEL) ")
  string(REGEX REPLACE "[^0-9;]" "" _cudnn_numbers "${_cudnn_lines}")
  list(JOIN _cudnn_numbers "." CuDNNGraph_VERSION)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CuDNNGraph REQUIRED_VARS CuDNNGraph_LIBRARY CuDNNGraph_INCLUDE_DIR VERSION_VAR CuDNNGraph_VERSION)
mark_as_advanced(CuDNNGraph_INCLUDE_DIR CuDNNGraph_LIBRARY)

if(CuDNNGraph_FOUND AND NOT TARGET CuDNNGraph::CuDNNGraph)
  add_library(CuDNNGraph::CuDNNGraph UNKNOWN IMPORTED)
  set_target_properties(CuDNNGraph::CuDNNGraph PROPERTIES
    IMPORTED_LOCATION "${CuDNNGraph_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${CuDNNGraph_INCLUDE_DIR}")
endif()
