# The CUDA engine: whether this build has it, and the shared library swarmgrad_cuda. Only kernels (cuda/*.cu and one unit an
# environment) are compiled by nvcc, once each; the host side is plain C++.

set(SWARMGRAD_CUDA AUTO CACHE STRING "Build the CUDA engine: AUTO (where nvcc is found), ON or OFF")
set_property(CACHE SWARMGRAD_CUDA PROPERTY STRINGS AUTO ON OFF)
set(SWARMGRAD_CUDA_RUNTIME_LIBRARY "" CACHE FILEPATH
    "Another implementation of the CUDA runtime, with which the tests run the same objects besides NVIDIA's")
set(SWARMGRAD_CUDA_RUNTIME_FAIL "" CACHE STRING
    "The environment variable by which that runtime is told CALL:NUMBER, the call that is to fail")
string(TOUPPER "${SWARMGRAD_CUDA}" _wanted)
if(NOT _wanted MATCHES "^(AUTO|ON|OFF)$")
  message(FATAL_ERROR "SWARMGRAD_CUDA is ${SWARMGRAD_CUDA}; allowed: AUTO, ON, OFF")
endif()

# Why the engine is left out, or empty.
set(_reason "")
if(_wanted STREQUAL "OFF")
  set(_reason "SWARMGRAD_CUDA is OFF")
elseif(SWARMGRAD_SANITIZE)
  set(_reason "this build has the sanitizer ${SWARMGRAD_SANITIZE}, which device code knows nothing of")
elseif(CMAKE_CROSSCOMPILING)
  set(_reason "this is a cross build")
else()
  find_program(SWARMGRAD_NVCC nvcc HINTS ENV CUDA_PATH PATHS /usr/local/cuda PATH_SUFFIXES bin)
  mark_as_advanced(SWARMGRAD_NVCC)
  if(SWARMGRAD_NVCC AND NOT DEFINED ENV{CUDACXX})
    set(ENV{CUDACXX} "${SWARMGRAD_NVCC}")
  endif()
  include(CheckLanguage)
  check_language(CUDA)
  if(NOT CMAKE_CUDA_COMPILER)
    set(_reason "no nvcc was found that works. Install the CUDA toolkit, 12.8 or newer, from "
                "https://developer.nvidia.com/cuda-downloads, or say where it is: -DCMAKE_CUDA_COMPILER=<folder>/nvcc")
  endif()
endif()
if(NOT _reason)
  if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
    # Machine code of 7.5 does not run on 8.x, so its PTX is there for what lies between.
    set(CMAKE_CUDA_ARCHITECTURES "75;90" CACHE STRING "Compute capabilities: <n>-real machine code, <n>-virtual PTX, <n> both")
  endif()
  enable_language(CUDA)
  if(CMAKE_CUDA_COMPILER_VERSION VERSION_LESS 12.8)
    set(_reason "nvcc ${CMAKE_CUDA_COMPILER_VERSION} was found, which is too old. Needed: the CUDA toolkit 12.8 or newer")
  endif()
endif()
if(_reason)
  list(JOIN _reason "" _reason)
  if(_wanted STREQUAL "ON")
    message(FATAL_ERROR "SWARMGRAD_CUDA is ON, but ${_reason}")
  endif()
  message(STATUS "CUDA engine left out: ${_reason}")
  return()
endif()

find_package(CUDAToolkit REQUIRED)
# CMake 3.25 does not know how to ask for it.
foreach(_variant IN ITEMS STANDARD EXTENSION)
  if(NOT CMAKE_CUDA20_${_variant}_COMPILE_OPTION)
    set(CMAKE_CUDA20_${_variant}_COMPILE_OPTION -std=c++20)
  endif()
endforeach()
message(STATUS "CUDA engine: nvcc ${CMAKE_CUDA_COMPILER_VERSION}, architectures ${CMAKE_CUDA_ARCHITECTURES}")

# What ptxas says of each kernel's registers, stack, spills and shared memory goes to <object>.resources, for the check of
# budgets, and to the terminal where compiling fails.
string(APPEND CMAKE_CUDA_COMPILE_OBJECT " 2> <OBJECT>.resources || (cat <OBJECT>.resources && false)")

# swarmgrad_cuda_objects(NAME SOURCES...): the object library NAME of kernels.
function(swarmgrad_cuda_objects NAME)
  add_library(${NAME} OBJECT ${ARGN})
  # PTX that is not compressed can be read by tests and by other implementations of the runtime.
  target_compile_options(${NAME} PRIVATE ${SWARMGRAD_FLAGS_device} --no-compress -Xptxas=-v
                         "-Xcompiler=-Wall,-Wextra,-Wshadow,-fvisibility=hidden,-ffunction-sections,-fdata-sections")
  target_compile_definitions(${NAME} PRIVATE SWARMGRAD_TARGET=device)
  target_include_directories(${NAME} PRIVATE "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/native"
                                             "${SWARMGRAD_GENERATED_DIR}")
endfunction()

set(_cuda "${PROJECT_SOURCE_DIR}/cuda")
file(GLOB _kernels CONFIGURE_DEPENDS "${_cuda}/*.cu")
list(REMOVE_ITEM _kernels "${_cuda}/user_environment.cu")
swarmgrad_environment_units("${_cuda}/environment.cu.in" _environment_kernels)
swarmgrad_cuda_objects(swarmgrad_cuda_kernels ${_kernels} ${_environment_kernels})

file(GLOB _engine CONFIGURE_DEPENDS "${_cuda}/*.cpp")
add_library(swarmgrad_cuda_engine INTERFACE)
target_link_libraries(swarmgrad_cuda_engine INTERFACE swarmgrad_host)
target_sources(swarmgrad_cuda_engine INTERFACE "$<TARGET_OBJECTS:swarmgrad_cuda_kernels>")
swarmgrad_engine_objects(swarmgrad_cuda_engine cuda_host ${_engine})
target_include_directories(swarmgrad_cuda_host PRIVATE "${PROJECT_SOURCE_DIR}")
target_include_directories(swarmgrad_cuda_host SYSTEM PRIVATE ${CUDAToolkit_INCLUDE_DIRS})

swarmgrad_engine_library(swarmgrad_cuda swarmgrad_cuda_engine)
set(_platform "${PROJECT_BINARY_DIR}/platform")
set_target_properties(swarmgrad_cuda PROPERTIES
  CUDA_RUNTIME_LIBRARY Static LIBRARY_OUTPUT_DIRECTORY "${_platform}/${SWARMGRAD_PLATFORM}")
# JavaCPP's presets, which Java asks for telemetry and for NVRTC, need the shared runtime, which a machine with no more than a
# driver lacks. The optional artifact brings it along, where their Loader looks.
if(TARGET CUDA::cudart)
  get_target_property(_runtime CUDA::cudart IMPORTED_LOCATION)
  file(REAL_PATH "${_runtime}" _runtime)
  string(REGEX MATCH "^[0-9]+" _major "${CUDAToolkit_VERSION}")
  configure_file("${_runtime}" "${_platform}/org/bytedeco/cuda/${SWARMGRAD_PLATFORM}/libcudart.so.${_major}" COPYONLY)
endif()

if(SWARMGRAD_CUDA_RUNTIME_LIBRARY)
  if(NOT EXISTS "${SWARMGRAD_CUDA_RUNTIME_LIBRARY}")
    message(FATAL_ERROR "SWARMGRAD_CUDA_RUNTIME_LIBRARY is ${SWARMGRAD_CUDA_RUNTIME_LIBRARY}, which does not exist; allowed: "
                        "a library that defines the functions of the CUDA runtime, and empty")
  endif()
  add_library(swarmgrad_cuda_other_runtime_engine INTERFACE)
  target_sources(swarmgrad_cuda_other_runtime_engine INTERFACE "${_cuda}/tests/other_runtime.cpp")
  target_include_directories(swarmgrad_cuda_other_runtime_engine SYSTEM INTERFACE ${CUDAToolkit_INCLUDE_DIRS})
  target_link_libraries(swarmgrad_cuda_other_runtime_engine INTERFACE swarmgrad_cuda_engine
                                                                      "${SWARMGRAD_CUDA_RUNTIME_LIBRARY}")
  swarmgrad_engine_library(swarmgrad_cuda_other_runtime swarmgrad_cuda_other_runtime_engine)
  set_target_properties(swarmgrad_cuda_other_runtime PROPERTIES CUDA_RUNTIME_LIBRARY None)
endif()
