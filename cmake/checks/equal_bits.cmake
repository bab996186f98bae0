# Two short trainings print the same hashes. REFERENCE and OTHER are commands, words joined by '|'. With PRESET, its target
# short_run is configured and built first. NEEDS names programs without which the comparison is skipped; with OPTIONAL it is
# skipped where the processor lacks the instruction set, too.
cmake_minimum_required(VERSION 3.25)

string(REPLACE "|" ";" NEEDS "${NEEDS}")
foreach(_program IN LISTS NEEDS)
  find_program(_found_${_program} "${_program}")
  if(NOT _found_${_program})
    message("skipped: ${_program} was not found (on Debian: apt-get install qemu-user g++-aarch64-linux-gnu)")
    return()
  endif()
endforeach()

if(PRESET)
  execute_process(COMMAND "${CMAKE_COMMAND}" --preset "${PRESET}" WORKING_DIRECTORY "${SOURCE}" OUTPUT_QUIET
                  COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND "${CMAKE_COMMAND}" --build --preset "${PRESET}" --target short_run
                  WORKING_DIRECTORY "${SOURCE}" OUTPUT_VARIABLE _output RESULT_VARIABLE _result)
  if(NOT _result EQUAL 0)
    message(FATAL_ERROR "preset ${PRESET} does not build:\n${_output}")
  endif()
endif()

# Sets OUTPUT to what the command prints.
function(run COMMAND OUTPUT)
  string(REPLACE "|" ";" _command "${COMMAND}")
  execute_process(COMMAND ${_command} OUTPUT_VARIABLE _output ERROR_VARIABLE _errors RESULT_VARIABLE _result)
  if(NOT _result EQUAL 0 AND NOT (OPTIONAL AND _result EQUAL 3))
    message(FATAL_ERROR "${COMMAND}: exit ${_result}\n${_output}${_errors}")
  endif()
  set(_skipped "")
  if(NOT _result EQUAL 0)
    set(_skipped "skipped: ${_errors}")
  endif()
  set(${OUTPUT} "${_skipped}${_output}" PARENT_SCOPE)
endfunction()

run("${REFERENCE}" _reference)
run("${OTHER}" _other)
if(_other MATCHES "^skipped: ")
  message("${_other}")
elseif(NOT _reference OR NOT _reference STREQUAL _other)
  message(FATAL_ERROR "${REFERENCE} gives\n${_reference}\n${OTHER} gives\n${_other}")
else()
  message("equal:\n${_other}")
endif()
