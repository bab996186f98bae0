# Installed to an empty prefix, the library is found by find_package and a C program that includes only swarmgrad.h builds
# against it, without warnings, and runs with an environment that the package built from a header.
cmake_minimum_required(VERSION 3.25)

set(_folder "${BUILD}/installed_library")
file(REMOVE_RECURSE "${_folder}")
execute_process(COMMAND "${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${_folder}/prefix" OUTPUT_QUIET
                COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${CMAKE_COMMAND}" -S "${SOURCE}/native/tests/consumer" -B "${_folder}/build" -G Ninja
                        "-DCMAKE_PREFIX_PATH=${_folder}/prefix" "-DCMAKE_C_COMPILER=${C_COMPILER}"
                        "-DCMAKE_CXX_COMPILER=${CXX_COMPILER}"
                        "-DSWARMGRAD_VERSION=${VERSION}" OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${CMAKE_COMMAND}" --build "${_folder}/build" OUTPUT_VARIABLE _output RESULT_VARIABLE _result)
if(NOT _result EQUAL 0)
  message(FATAL_ERROR "the C program does not build against the installed library:\n${_output}")
endif()
execute_process(COMMAND "${_folder}/build/consumer" "${_folder}/build/libmy_game.so" OUTPUT_VARIABLE _output RESULT_VARIABLE _result)
if(NOT _result EQUAL 0 OR NOT _output MATCHES "swarmgrad ${VERSION}.*my_game: ")
  message(FATAL_ERROR "the C program should print 'swarmgrad ${VERSION}' and my_game; exit ${_result}, output: ${_output}")
endif()
message("${_output}")
