# The shared library swarmgrad_cpu: one object library per instruction set, the generic rest, one C ABI.

set(_cpu "${PROJECT_SOURCE_DIR}/native/cpu")
file(GLOB _generic_sources CONFIGURE_DEPENDS "${_cpu}/*.cpp")
list(REMOVE_ITEM _generic_sources "${_cpu}/kernels.cpp" "${_cpu}/user_environment.cpp")
swarmgrad_environment_units("${_cpu}/environment.cpp.in" _environment_units)

# swarmgrad_engine: the engine's objects, for the library and the native tests.
add_library(swarmgrad_engine INTERFACE)
target_link_libraries(swarmgrad_engine INTERFACE swarmgrad_flags)
target_include_directories(swarmgrad_engine INTERFACE "${SWARMGRAD_GENERATED_DIR}")

# swarmgrad_engine_objects(NAME SOURCES...) adds the object library swarmgrad_NAME to swarmgrad_engine.
function(swarmgrad_engine_objects NAME)
  add_library(swarmgrad_${NAME} OBJECT ${ARGN})
  target_link_libraries(swarmgrad_${NAME} PRIVATE swarmgrad_flags)
  target_include_directories(swarmgrad_${NAME} PRIVATE "${SWARMGRAD_GENERATED_DIR}")
  target_compile_definitions(swarmgrad_${NAME} PRIVATE SWARMGRAD_BUILDING_LIBRARY)
  target_sources(swarmgrad_engine INTERFACE "$<TARGET_OBJECTS:swarmgrad_${NAME}>")
endfunction()

swarmgrad_engine_objects(generic ${_generic_sources})
target_compile_definitions(swarmgrad_generic PRIVATE SWARMGRAD_VERSION="${PROJECT_VERSION}")
foreach(_isa IN LISTS SWARMGRAD_INSTRUCTION_SETS)
  swarmgrad_engine_objects(${_isa} "${_cpu}/kernels.cpp" ${_environment_units})
  swarmgrad_target_instruction_set(swarmgrad_${_isa} ${_isa})
endforeach()

# The folder under which JavaCPP's Loader looks for the library of this platform.
string(TOLOWER "${CMAKE_SYSTEM_NAME}" _system)
string(REPLACE "darwin" "macosx" _system "${_system}")
string(TOLOWER "${CMAKE_SYSTEM_PROCESSOR}" _processor)
string(REPLACE "amd64" "x86_64" _processor "${_processor}")
string(REPLACE "aarch64" "arm64" _processor "${_processor}")
set(SWARMGRAD_PLATFORM "${_system}-${_processor}")

add_library(swarmgrad_cpu SHARED)
add_library(swarmgrad::swarmgrad ALIAS swarmgrad_cpu)
file(CONFIGURE OUTPUT "${SWARMGRAD_GENERATED_DIR}/exports.map" CONTENT "{ global: swarmgrad_*; local: *; };\n" @ONLY)
target_link_libraries(swarmgrad_cpu PRIVATE swarmgrad_engine)
target_include_directories(swarmgrad_cpu INTERFACE "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/native/include>"
                                                   "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
target_link_options(swarmgrad_cpu PRIVATE "-Wl,--version-script=${SWARMGRAD_GENERATED_DIR}/exports.map"
                                          -Wl,--exclude-libs,ALL
                                          # Drops what only unused parts of libstdc++ need, newer GLIBC symbols among it.
                                          -Wl,--gc-sections)
if(NOT SWARMGRAD_SANITIZE)
  # A sanitizer's runtime comes from the program that loads the library, so only then may symbols stay open.
  target_link_options(swarmgrad_cpu PRIVATE -static-libstdc++ -static-libgcc -Wl,--no-undefined)
endif()
set_target_properties(swarmgrad_cpu PROPERTIES
  LINK_DEPENDS "${SWARMGRAD_GENERATED_DIR}/exports.map"
  LINKER_LANGUAGE CXX
  EXPORT_NAME swarmgrad
  LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/platform/${SWARMGRAD_PLATFORM}")
