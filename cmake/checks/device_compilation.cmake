# core/ and one environment compile as CUDA device code (machine code and PTX) without a warning, so that they stay fit for
# both devices. The flags are the ones under which both give the same bits.
cmake_minimum_required(VERSION 3.25)

find_program(NVCC nvcc HINTS ENV CUDA_PATH PATHS /usr/local/cuda PATH_SUFFIXES bin)
if(NOT NVCC)
  message("skipped: nvcc was not found")
  return()
endif()
execute_process(COMMAND "${NVCC}" -std=c++20 -DSWARMGRAD_TARGET=cuda "-I${SOURCE}/native" --fmad=false --ftz=false
                        --prec-div=true --prec-sqrt=true "-ccbin=${CXX_COMPILER}" -Werror all-warnings
                        -Xcompiler=-Wall,-Wextra,-ffp-contract=off
                        -gencode arch=compute_75,code=[sm_75,compute_75] -c "${UNIT}" -o "${UNIT}.o"
                OUTPUT_VARIABLE _output ERROR_VARIABLE _output RESULT_VARIABLE _result)
if(NOT _result EQUAL 0)
  message(FATAL_ERROR "nvcc does not accept ${UNIT}:\n${_output}")
endif()
