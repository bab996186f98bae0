# Structural tests: what the library exports and needs, who may include whom, layout, installation, both compilers and equal
# bits across builds. Each is a script in cmake/checks that says on failure what is wrong and why it matters.

# swarmgrad_check(NAME SCRIPT [VARIABLE=value ...]) registers cmake/checks/SCRIPT.cmake as the test NAME. A script that
# cannot run on this machine prints a line that begins with "skipped: ".
function(swarmgrad_check NAME SCRIPT)
  list(TRANSFORM ARGN PREPEND "-D")
  add_test(NAME ${NAME}
           COMMAND "${CMAKE_COMMAND}" "-DSOURCE=${PROJECT_SOURCE_DIR}" "-DBUILD=${PROJECT_BINARY_DIR}" ${ARGN} -P
                   "${PROJECT_SOURCE_DIR}/cmake/checks/${SCRIPT}.cmake")
  set_tests_properties(${NAME} PROPERTIES SKIP_REGULAR_EXPRESSION "skipped: ")
endfunction()

swarmgrad_check(dependency_arrows dependency_arrows)
swarmgrad_check(format format)

# A sanitizer's runtime adds symbols and needs of its own.
if(NOT SWARMGRAD_SANITIZE)
  swarmgrad_check(exported_symbols exported_symbols "NM=${CMAKE_NM}" "LIBRARY=$<TARGET_FILE:swarmgrad_cpu>")
  swarmgrad_check(glibc_version glibc_version "OBJDUMP=${CMAKE_OBJDUMP}" "LIBRARY=$<TARGET_FILE:swarmgrad_cpu>" "ALLOWED=2.35")
  foreach(_isa IN LISTS SWARMGRAD_INSTRUCTION_SETS)
    swarmgrad_check(own_namespace_${_isa} own_namespace "NM=${CMAKE_NM}" "ISA=${_isa}"
                    "OBJECTS=$<JOIN:$<TARGET_OBJECTS:swarmgrad_${_isa}>,|>")
  endforeach()
  if(NOT CMAKE_CROSSCOMPILING)
    swarmgrad_check(installed_library installed_library "VERSION=${PROJECT_VERSION}" "C_COMPILER=${CMAKE_C_COMPILER}")
  endif()
endif()
