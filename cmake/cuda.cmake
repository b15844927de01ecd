# The CUDA language, with a compiler found where people have it, and cuDNN.
if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
  find_program(IMPASTO_NVCC nvcc HINTS $ENV{CUDA_HOME} $ENV{CUDA_PATH} PATHS /usr/local/cuda PATH_SUFFIXES bin)
  if(IMPASTO_NVCC)
    set(ENV{CUDACXX} ${IMPASTO_NVCC})
  endif()
endif()
# Every generation that CUDA 13 compiles for, and what follows from the last one's PTX.
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 75-real 80-real 86-real 89-real 90-real 100-real 120)
endif()
# CMake before 3.25.2 does not know that nvcc has C++20: it tries the compiler with a dialect it knows, then takes ours.
set(CMAKE_CUDA_STANDARD 17)
enable_language(CUDA)
if(CMAKE_VERSION VERSION_LESS 3.25.2)
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
endif()
set(CMAKE_CUDA_STANDARD 20)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
find_package(CUDAToolkit 13.0 REQUIRED)
find_package(CuDNNGraph 9 REQUIRED)

# Named ranges for profilers, a header alone; the toolkit has it, its Python packages do not.
find_path(NVTX_INCLUDE_DIR nvtx3/nvToolsExt.h HINTS ${CUDAToolkit_INCLUDE_DIRS})

# Where what links the backend finds the libraries: CMake leaves the toolkit's folders out of run paths.
get_filename_component(impasto_cuda_run_path ${CuDNNGraph_LIBRARY} DIRECTORY)
set(impasto_cuda_run_path ${CUDAToolkit_LIBRARY_DIR} ${impasto_cuda_run_path})
