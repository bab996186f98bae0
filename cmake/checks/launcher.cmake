# The launcher on a machine that lacks the tools, played by a folder of commands: it names what is missing, installs it as root
# saying so first, and otherwise prints the one line to run. Both scripts also pass shellcheck where it is installed.
cmake_minimum_required(VERSION 3.25)

find_program(SHELLCHECK shellcheck)
if(SHELLCHECK)
  execute_process(COMMAND "${SHELLCHECK}" "${SOURCE}/swarmgrad" "${SOURCE}/.ci/run" COMMAND_ERROR_IS_FATAL ANY)
endif()

set(_folder "${BUILD}/launcher")
set(_bin "${_folder}/bin")
file(REMOVE_RECURSE "${_folder}")
file(MAKE_DIRECTORY "${_bin}" "${_folder}/checkout")
file(COPY "${SOURCE}/swarmgrad" DESTINATION "${_folder}/checkout")
file(CREATE_LINK "${_folder}/checkout/swarmgrad" "${_folder}/link" SYMBOLIC)
foreach(_tool IN ITEMS sh env dirname readlink sed cat mkdir rm mv touch find head tr sleep)
  find_program(_path_${_tool} "${_tool}" REQUIRED)
  file(CREATE_LINK "${_path_${_tool}}" "${_bin}/${_tool}" SYMBOLIC)
endforeach()
# A JDK of its own, so that the answer does not hang on what this machine has.
file(WRITE "${_folder}/jdk/release" "JAVA_VERSION=\"25.0.1\"\n")

function(command NAME TEXT)
  file(WRITE "${_bin}/${NAME}" "#!/bin/sh\n${TEXT}\n")
  file(CHMOD "${_bin}/${NAME}" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
endfunction()

function(expect WHAT PATTERN)
  execute_process(COMMAND "${_bin}/env" -i "PATH=${_bin}" "JAVA_HOME=${_folder}/jdk" "${_folder}/link" envs
                  WORKING_DIRECTORY / OUTPUT_VARIABLE _output ERROR_VARIABLE _output RESULT_VARIABLE _result)
  if(NOT _result EQUAL 1 OR NOT _output MATCHES "${PATTERN}")
    message(FATAL_ERROR "${WHAT}: exit 1 and '${PATTERN}' are expected; exit ${_result}, output:\n${_output}")
  endif()
endfunction()

file(WRITE "${_folder}/jdk/bin/javac" "")
file(CHMOD "${_folder}/jdk/bin/javac" PERMISSIONS OWNER_READ OWNER_EXECUTE)
command(id "echo 0")
expect("no package manager" "missing: maven cmake ninja c\\+\\+ doctest; no package manager")

command(apt-get "echo ran apt-get \"$@\"")
expect("root" "Running: apt-get update.*Running: env .*apt-get .* install -y maven cmake ninja-build g\\+\\+ doctest-dev\n.*ran apt-get .*still missing")

command(id "echo 1000")
expect("a user without sudo" "Run this once: sudo env .*apt-get .* install -y maven cmake ninja-build g\\+\\+ doctest-dev\n")

command(cmake "echo cmake version 3.24.3")
expect("an old CMake" "missing: maven cmake ")
command(cmake "echo cmake version 4.1.0")
expect("a new CMake" "missing: maven ninja ")
