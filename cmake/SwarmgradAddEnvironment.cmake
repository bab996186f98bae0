# swarmgrad_add_environment(TARGET HEADER [UNCHECKED]): the loadable library libTARGET.so of the environment in HEADER, for
# `swarmgrad train --env` and swarmgrad_load_environment. It holds the code of every instruction set. UNCHECKED leaves out
# the checks of indices.
include("${CMAKE_CURRENT_LIST_DIR}/SwarmgradInstructionSets.cmake")

function(swarmgrad_add_environment TARGET HEADER)
  cmake_parse_arguments(PARSE_ARGV 2 _environment "UNCHECKED" "" "")
  cmake_path(ABSOLUTE_PATH HEADER BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" NORMALIZE OUTPUT_VARIABLE _header)
  if(NOT EXISTS "${_header}" OR _environment_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "swarmgrad_add_environment(${TARGET} ${HEADER} ${ARGN}): allowed: a target, a header that exists, "
                        "and UNCHECKED")
  endif()
  add_library(${TARGET} MODULE)
  set_target_properties(${TARGET} PROPERTIES PREFIX lib SUFFIX .so LINKER_LANGUAGE CXX)
  # The narrowest instruction set comes first: of a function that both objects hold, the linker keeps that one.
  foreach(_isa IN LISTS SWARMGRAD_INSTRUCTION_SETS)
    set(_objects ${TARGET}_${_isa})
    add_library(${_objects} OBJECT "${SWARMGRAD_HEADERS}/host/user_environment.cpp")
    target_compile_options(${_objects} PRIVATE ${SWARMGRAD_FLAGS_environment} ${SWARMGRAD_FLAGS_exact} -include "${_header}")
    target_include_directories(${_objects} SYSTEM PRIVATE "${SWARMGRAD_HEADERS}"
                               "$<TARGET_PROPERTY:swarmgrad::swarmgrad,INTERFACE_INCLUDE_DIRECTORIES>")
    swarmgrad_target_instruction_set(${_objects} ${_isa})
    if(NOT _environment_UNCHECKED)
      target_compile_definitions(${_objects} PRIVATE SWARMGRAD_CHECKED=1)
    endif()
    target_sources(${TARGET} PRIVATE "$<TARGET_OBJECTS:${_objects}>")
  endforeach()
endfunction()
