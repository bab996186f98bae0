# Helpers that register native tests. doctest is the only library they need; without it one failing test says so.

find_package(doctest QUIET)
if(NOT doctest_FOUND)
  add_test(NAME doctest_is_installed COMMAND "${CMAKE_COMMAND}" -E false)
  message(WARNING "doctest was not found: native tests cannot be built (on Debian: apt-get install doctest-dev)")
else()
  add_library(swarmgrad_test_main OBJECT "${PROJECT_SOURCE_DIR}/native/tests/main.cpp")
  target_link_libraries(swarmgrad_test_main PRIVATE swarmgrad_flags PUBLIC doctest::doctest)
  if(SWARMGRAD_SANITIZE)
    # doctest's own code, of which nothing is to be found out. A source's options follow all others.
    set_source_files_properties("${PROJECT_SOURCE_DIR}/native/tests/main.cpp" PROPERTIES COMPILE_OPTIONS -fno-sanitize=all)
  endif()
endif()

# A test that exits with this code says on its output why this machine cannot run it.
set(SWARMGRAD_SKIPPED 77)

# swarmgrad_test(NAME SOURCES... [PER_INSTRUCTION_SET] [EVERY_ENGINE] [LINKS ...] [ARGUMENTS ...])
# One doctest executable NAME_test, linked with the CPU engine's objects; with EVERY_ENGINE it knows the C ABI only, and
# swarmgrad_engine_tests links it with other engines as well. Or, PER_INSTRUCTION_SET, executables NAME_<isa>_test that are
# compiled whole for each instruction set and `scalar`, without the engine.
function(swarmgrad_test NAME)
  cmake_parse_arguments(PARSE_ARGV 1 _test "PER_INSTRUCTION_SET;EVERY_ENGINE" "" "SOURCES;LINKS;ARGUMENTS")
  if(NOT doctest_FOUND)
    return()
  endif()
  if(_test_EVERY_ENGINE)
    add_library(${NAME}_test_objects OBJECT ${_test_SOURCES})
    target_link_libraries(${NAME}_test_objects PRIVATE swarmgrad_flags doctest::doctest)
    set_property(GLOBAL APPEND PROPERTY SWARMGRAD_ENGINE_TESTS ${NAME})
    set(_test_SOURCES "$<TARGET_OBJECTS:${NAME}_test_objects>")
  endif()
  if(NOT _test_PER_INSTRUCTION_SET)
    add_executable(${NAME}_test ${_test_SOURCES})
    target_link_libraries(${NAME}_test PRIVATE swarmgrad_flags swarmgrad_engine swarmgrad_test_main ${_test_LINKS})
    add_test(NAME ${NAME} COMMAND ${NAME}_test ${_test_ARGUMENTS})
    return()
  endif()
  set(_isas ${SWARMGRAD_INSTRUCTION_SETS} scalar)
  if(SWARMGRAD_SANITIZE)
    # The engine's tests run the intrinsics that kernels use.
    set(_isas scalar)
  endif()
  foreach(_isa IN LISTS _isas)
    set(_target ${NAME}_${_isa}_test)
    add_library(${_target}_objects OBJECT ${_test_SOURCES})
    target_link_libraries(${_target}_objects PRIVATE swarmgrad_flags doctest::doctest)
    swarmgrad_target_instruction_set(${_target}_objects ${_isa})
    # Runs before any code that the instruction set's flags reach.
    add_executable(${_target} "${PROJECT_SOURCE_DIR}/native/tests/require_instruction_set.cpp")
    target_compile_definitions(${_target} PRIVATE SWARMGRAD_REQUIRED="${_isa}" SWARMGRAD_SKIPPED=${SWARMGRAD_SKIPPED})
    target_link_libraries(${_target} PRIVATE swarmgrad_flags ${_target}_objects swarmgrad_test_main ${_test_LINKS})
    add_test(NAME ${NAME}_${_isa} COMMAND ${_target} ${_test_ARGUMENTS})
    set_tests_properties(${NAME}_${_isa} PROPERTIES SKIP_RETURN_CODE ${SWARMGRAD_SKIPPED})
  endforeach()
endfunction()

# swarmgrad_engine_tests(ENGINE OBJECTS [VARIABLE=value...]): every test of every engine once more, as NAME_ENGINE, linked with
# OBJECTS instead of the CPU engine's.
function(swarmgrad_engine_tests ENGINE OBJECTS)
  get_property(_names GLOBAL PROPERTY SWARMGRAD_ENGINE_TESTS)
  foreach(_name IN LISTS _names)
    set(_target ${_name}_${ENGINE}_test)
    add_executable(${_target} "$<TARGET_OBJECTS:${_name}_test_objects>")
    target_link_libraries(${_target} PRIVATE swarmgrad_flags ${OBJECTS} swarmgrad_test_main)
    add_test(NAME ${_name}_${ENGINE} COMMAND ${_target})
    # What emulates a device is slow: these start early, or the other cores wait for them in the end.
    set_tests_properties(${_name}_${ENGINE} PROPERTIES ENVIRONMENT "${ARGN}" COST 50)
  endforeach()
endfunction()

# swarmgrad_one_lane_test(ISA): one_lane_ISA, the environments with one lane, compiled with the same flags, against the
# engine's sixteen.
function(swarmgrad_one_lane_test ISA)
  string(TOUPPER "${ISA}" _upper)
  swarmgrad_environment_units("${PROJECT_SOURCE_DIR}/native/host/environment.cpp.in" _units)
  add_library(one_lane_${ISA}_environments OBJECT ${_units})
  target_link_libraries(one_lane_${ISA}_environments PRIVATE swarmgrad_flags)
  target_compile_definitions(one_lane_${ISA}_environments PRIVATE SWARMGRAD_TARGET=one_lane)
  target_compile_options(one_lane_${ISA}_environments PRIVATE ${SWARMGRAD_FLAGS_${ISA}})
  add_executable(one_lane_${ISA} "${PROJECT_SOURCE_DIR}/native/tests/one_lane.cpp")
  target_compile_definitions(one_lane_${ISA} PRIVATE SWARMGRAD_ISA=SWARMGRAD_ISA_${_upper}
                                                     SWARMGRAD_SKIPPED=${SWARMGRAD_SKIPPED})
  target_link_libraries(one_lane_${ISA} PRIVATE swarmgrad_flags swarmgrad_engine one_lane_${ISA}_environments)
  add_test(NAME one_lane_${ISA} COMMAND one_lane_${ISA})
  set_tests_properties(one_lane_${ISA} PROPERTIES SKIP_RETURN_CODE ${SWARMGRAD_SKIPPED})
endfunction()
