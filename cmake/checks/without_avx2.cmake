# On an x86-64 processor without AVX2 and FMA the library says so in its error text; it does not die of an illegal instruction.
cmake_minimum_required(VERSION 3.25)

find_program(QEMU qemu-x86_64)
if(NOT QEMU)
  message("skipped: qemu-x86_64 was not found (on Debian: apt-get install qemu-user)")
  return()
endif()
execute_process(COMMAND "${QEMU}" -cpu Nehalem "${SHORT_RUN}" OUTPUT_VARIABLE _output ERROR_VARIABLE _errors
                RESULT_VARIABLE _result)
if(NOT _result EQUAL 3 OR NOT _errors MATCHES "AVX2")
  message(FATAL_ERROR "exit 3 and an error that names AVX2 are expected; exit ${_result}, output:\n${_output}${_errors}")
endif()
message("${_errors}")
