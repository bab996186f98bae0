# What configuring says of the CUDA engine on a machine without nvcc: left out by default, an error where it was asked for.
cmake_minimum_required(VERSION 3.25)

set(_folder "${BUILD}/cuda_option")
file(REMOVE_RECURSE "${_folder}")

function(expect OPTION SUCCEEDS PATTERN)
  execute_process(COMMAND "${CMAKE_COMMAND}" -E env --unset=CUDACXX "${CMAKE_COMMAND}" -S "${SOURCE}" -B "${_folder}" -G Ninja
                          -DBUILD_TESTING=OFF "-DSWARMGRAD_NVCC=${_folder}/nvcc" "-DSWARMGRAD_CUDA=${OPTION}"
                  OUTPUT_VARIABLE _output ERROR_VARIABLE _output RESULT_VARIABLE _result)
  string(REGEX REPLACE "[ \n]+" " " _text "${_output}")
  if((_result EQUAL 0 AND NOT SUCCEEDS) OR (NOT _result EQUAL 0 AND SUCCEEDS) OR NOT _text MATCHES "${PATTERN}")
    message(FATAL_ERROR "SWARMGRAD_CUDA=${OPTION}: '${PATTERN}' is expected; exit ${_result}, output:\n${_output}")
  endif()
endfunction()

set(_remedy "no nvcc was found that works. Install the CUDA toolkit.*-DCMAKE_CUDA_COMPILER=")
expect(AUTO TRUE "CUDA engine left out: ${_remedy}")
expect(OFF TRUE "CUDA engine left out: SWARMGRAD_CUDA is OFF")
expect(ON FALSE "SWARMGRAD_CUDA is ON, but ${_remedy}")
expect(PERHAPS FALSE "SWARMGRAD_CUDA is PERHAPS. allowed: AUTO, ON, OFF")
