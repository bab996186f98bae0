# No object of an instruction set defines a global or weak symbol outside its own namespace. A template shared with another
# translation unit is kept once by the linker, possibly as the wider instruction set's code: then an older processor that
# calls the generic one meets an illegal instruction.
cmake_minimum_required(VERSION 3.25)

string(REPLACE "|" ";" OBJECTS "${OBJECTS}")
string(LENGTH "${ISA}" _length)
set(_symbol_count 0)
foreach(_object IN LISTS OBJECTS)
  execute_process(COMMAND "${NM}" --defined-only --extern-only "${_object}" OUTPUT_VARIABLE _output
                  COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[^\n]+" _lines "${_output}")
  foreach(_line IN LISTS _lines)
    string(REGEX REPLACE "^.* " "" _symbol "${_line}")
    math(EXPR _symbol_count "${_symbol_count} + 1")
    # The reference to the exception personality is a pointer, not code.
    if(NOT _symbol MATCHES "9swarmgrad${_length}${ISA}" AND NOT _symbol MATCHES "^[a-z0-9_]+_${ISA}$"
       AND NOT _symbol STREQUAL "DW.ref.__gxx_personality_v0")
      execute_process(COMMAND c++filt "${_symbol}" OUTPUT_VARIABLE _name OUTPUT_STRIP_TRAILING_WHITESPACE)
      message(SEND_ERROR "${_object} defines ${_name} (${_symbol}), which is outside namespace swarmgrad::${ISA}")
    endif()
  endforeach()
endforeach()
if(_symbol_count EQUAL 0)
  message(FATAL_ERROR "the objects of ${ISA} define no symbol at all: ${OBJECTS}")
endif()
message("${_symbol_count} symbols, all of them in swarmgrad::${ISA}")
