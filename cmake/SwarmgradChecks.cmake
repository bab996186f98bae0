# Structural tests: what the library exports and needs, who may include whom, layout, installation, both compilers and equal
# bits across builds. Each is a script in cmake/checks that says on failure what is wrong and why it matters.

# swarmgrad_check(NAME SCRIPT [VARIABLE=value ...]) registers cmake/checks/SCRIPT.cmake as the test NAME. A script that
# cannot run on this machine prints a line that begins with "skipped: ".
function(swarmgrad_check NAME SCRIPT)
  list(TRANSFORM ARGN PREPEND "-D")
  add_test(NAME ${NAME}
           COMMAND "${CMAKE_COMMAND}" "-DSOURCE=${PROJECT_SOURCE_DIR}" "-DBUILD=${PROJECT_BINARY_DIR}" ${ARGN} -P
                   "${PROJECT_SOURCE_DIR}/cmake/checks/${SCRIPT}.cmake")
  set_tests_properties(${NAME} PROPERTIES SKIP_REGULAR_EXPRESSION "(^|\n)skipped: ")
endfunction()

# A sanitizer's runtime adds symbols and needs of its own.
if(NOT SWARMGRAD_SANITIZE)
  swarmgrad_check(exported_symbols exported_symbols "NM=${CMAKE_NM}" "LIBRARY=$<TARGET_FILE:swarmgrad_cpu>")
  swarmgrad_check(glibc_version glibc_version "OBJDUMP=${CMAKE_OBJDUMP}" "LIBRARY=$<TARGET_FILE:swarmgrad_cpu>" "ALLOWED=2.35")
  foreach(_isa IN LISTS SWARMGRAD_INSTRUCTION_SETS)
    swarmgrad_check(own_namespace_${_isa} own_namespace "NM=${CMAKE_NM}" "ISA=${_isa}"
                    "OBJECTS=$<JOIN:$<TARGET_OBJECTS:swarmgrad_${_isa}>,|>")
  endforeach()
endif()

# short_run prints hashes of trained parameters; every build and processor must print the same ones.
add_executable(short_run "${PROJECT_SOURCE_DIR}/native/tests/short_run.cpp")
target_link_libraries(short_run PRIVATE swarmgrad_flags swarmgrad_engine)

# swarmgrad_equal_bits(NAME [PRESET preset] [OPTIONAL] [NEEDS program...] COMMAND words...)
function(swarmgrad_equal_bits NAME)
  cmake_parse_arguments(PARSE_ARGV 1 _bits "OPTIONAL" "PRESET" "NEEDS;COMMAND")
  list(JOIN _bits_COMMAND "|" _command)
  list(JOIN _bits_NEEDS "|" _needs)
  swarmgrad_check(equal_bits_${NAME} equal_bits "REFERENCE=$<TARGET_FILE:short_run>" "OTHER=${_command}"
                  "PRESET=${_bits_PRESET}" "NEEDS=${_needs}" "OPTIONAL=${_bits_OPTIONAL}")
  if(_bits_PRESET)
    set_tests_properties(equal_bits_${NAME} PROPERTIES LABELS other_build TIMEOUT 1800
                         RESOURCE_LOCK build_tree_of_${_bits_PRESET})
  endif()
endfunction()

# What one ordinary build can say for all.
if(NOT SWARMGRAD_SANITIZE AND NOT CMAKE_CROSSCOMPILING)
  swarmgrad_check(dependency_arrows dependency_arrows)
  swarmgrad_check(format format)
  swarmgrad_check(launcher launcher)
  swarmgrad_check(cuda_option cuda_option)

  swarmgrad_check(installed_library installed_library "VERSION=${PROJECT_VERSION}" "C_COMPILER=${CMAKE_C_COMPILER}"
                  "CXX_COMPILER=${CMAKE_CXX_COMPILER}")

  swarmgrad_equal_bits(threads COMMAND $<TARGET_FILE:short_run> 5)
  foreach(_isa IN LISTS SWARMGRAD_INSTRUCTION_SETS)
    swarmgrad_equal_bits(${_isa} OPTIONAL COMMAND $<TARGET_FILE:short_run> 2 ${_isa})
  endforeach()
  foreach(_preset IN ITEMS o1 asan)
    swarmgrad_equal_bits(${_preset} PRESET ${_preset} COMMAND "${PROJECT_SOURCE_DIR}/build/${_preset}/native/tests/short_run")
  endforeach()
  if("avx2" IN_LIST SWARMGRAD_INSTRUCTION_SETS)
    swarmgrad_equal_bits(haswell NEEDS qemu-x86_64 COMMAND qemu-x86_64 -cpu Haswell $<TARGET_FILE:short_run>)
    swarmgrad_equal_bits(aarch64 PRESET aarch64 NEEDS qemu-aarch64 aarch64-linux-gnu-g++
                         COMMAND qemu-aarch64 -L /usr/aarch64-linux-gnu
                                 "${PROJECT_SOURCE_DIR}/build/aarch64/native/tests/short_run")
    swarmgrad_check(without_avx2 without_avx2 "SHORT_RUN=$<TARGET_FILE:short_run>")
  endif()
endif()
