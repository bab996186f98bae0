# Compiler flags that every native target shares; those of one instruction set are in SwarmgradInstructionSets.cmake.

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, RelWithDebInfo or Debug" FORCE)
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

set(SWARMGRAD_SANITIZE "" CACHE STRING "Sanitizers to build with, for example address,undefined or thread")

find_package(Threads REQUIRED)

add_library(swarmgrad_flags INTERFACE)
target_compile_options(swarmgrad_flags INTERFACE ${SWARMGRAD_FLAGS_exact} -ffunction-sections -fdata-sections
                                                 -Wall -Wextra -Wpedantic -Wshadow)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Notes about a calling convention that changed before any compiler we accept.
  target_compile_options(swarmgrad_flags INTERFACE -Wno-psabi)
endif()
target_include_directories(swarmgrad_flags INTERFACE "${PROJECT_SOURCE_DIR}/native"
                                                     "${PROJECT_SOURCE_DIR}/native/include")
target_link_libraries(swarmgrad_flags INTERFACE Threads::Threads ${CMAKE_DL_LIBS})
if(SWARMGRAD_SANITIZE)
  target_compile_options(swarmgrad_flags INTERFACE "-fsanitize=${SWARMGRAD_SANITIZE}" -fno-sanitize-recover=all
                                                   -fno-omit-frame-pointer)
  target_link_options(swarmgrad_flags INTERFACE "-fsanitize=${SWARMGRAD_SANITIZE}")
endif()
