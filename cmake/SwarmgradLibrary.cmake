# The shared library swarmgrad_cpu: one object library per instruction set, the generic rest, one C ABI.

set(_host "${PROJECT_SOURCE_DIR}/native/host")
set(_cpu "${PROJECT_SOURCE_DIR}/native/cpu")
file(GLOB _host_sources CONFIGURE_DEPENDS "${_host}/*.cpp")
list(REMOVE_ITEM _host_sources "${_host}/user_environment.cpp")
file(GLOB _cpu_sources CONFIGURE_DEPENDS "${_cpu}/*.cpp")
list(REMOVE_ITEM _cpu_sources "${_cpu}/kernels.cpp")
swarmgrad_environment_units("${_host}/environment.cpp.in" _environment_units)

# swarmgrad_host: the objects that every engine library holds. swarmgrad_engine: those and the CPU engine's, for the library
# and the native tests.
add_library(swarmgrad_host INTERFACE)
target_link_libraries(swarmgrad_host INTERFACE swarmgrad_flags)
target_include_directories(swarmgrad_host INTERFACE "${SWARMGRAD_GENERATED_DIR}")
add_library(swarmgrad_engine INTERFACE)
target_link_libraries(swarmgrad_engine INTERFACE swarmgrad_host)

# swarmgrad_engine_objects(OWNER NAME SOURCES...) adds the object library swarmgrad_NAME to the interface library OWNER.
function(swarmgrad_engine_objects OWNER NAME)
  add_library(swarmgrad_${NAME} OBJECT ${ARGN})
  target_link_libraries(swarmgrad_${NAME} PRIVATE swarmgrad_flags)
  target_include_directories(swarmgrad_${NAME} PRIVATE "${SWARMGRAD_GENERATED_DIR}")
  target_compile_definitions(swarmgrad_${NAME} PRIVATE SWARMGRAD_BUILDING_LIBRARY)
  target_sources(${OWNER} INTERFACE "$<TARGET_OBJECTS:swarmgrad_${NAME}>")
endfunction()

swarmgrad_engine_objects(swarmgrad_host generic ${_host_sources})
target_compile_definitions(swarmgrad_generic PRIVATE SWARMGRAD_VERSION="${PROJECT_VERSION}")
foreach(_isa IN LISTS SWARMGRAD_INSTRUCTION_SETS)
  swarmgrad_engine_objects(swarmgrad_host ${_isa} "${_cpu}/kernels.cpp" ${_environment_units})
  swarmgrad_target_instruction_set(swarmgrad_${_isa} ${_isa})
endforeach()
swarmgrad_engine_objects(swarmgrad_engine cpu_engine ${_cpu_sources})

# The folder under which JavaCPP's Loader looks for the library of this platform.
string(TOLOWER "${CMAKE_SYSTEM_NAME}" _system)
string(REPLACE "darwin" "macosx" _system "${_system}")
string(TOLOWER "${CMAKE_SYSTEM_PROCESSOR}" _processor)
string(REPLACE "amd64" "x86_64" _processor "${_processor}")
string(REPLACE "aarch64" "arm64" _processor "${_processor}")
set(SWARMGRAD_PLATFORM "${_system}-${_processor}")

file(CONFIGURE OUTPUT "${SWARMGRAD_GENERATED_DIR}/exports.map" CONTENT "{ global: swarmgrad_*; local: *; };\n" @ONLY)

# swarmgrad_engine_library(NAME ITEMS...): the shared library NAME of the C ABI, linked of ITEMS.
function(swarmgrad_engine_library NAME)
  add_library(${NAME} SHARED)
  target_link_libraries(${NAME} PRIVATE ${ARGN})
  target_include_directories(${NAME} INTERFACE "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/native/include>"
                                               "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
  target_link_options(${NAME} PRIVATE "-Wl,--version-script=${SWARMGRAD_GENERATED_DIR}/exports.map" -Wl,--exclude-libs,ALL
                                      # Drops what only unused parts of libstdc++ need, newer GLIBC symbols among it.
                                      -Wl,--gc-sections)
  if(NOT SWARMGRAD_SANITIZE)
    # A sanitizer's runtime comes from the program that loads the library, so only then may symbols stay open.
    target_link_options(${NAME} PRIVATE -static-libstdc++ -static-libgcc -Wl,--no-undefined)
  endif()
  set_target_properties(${NAME} PROPERTIES LINK_DEPENDS "${SWARMGRAD_GENERATED_DIR}/exports.map" LINKER_LANGUAGE CXX)
endfunction()

swarmgrad_engine_library(swarmgrad_cpu swarmgrad_engine)
add_library(swarmgrad::swarmgrad ALIAS swarmgrad_cpu)
set_target_properties(swarmgrad_cpu PROPERTIES
  EXPORT_NAME swarmgrad LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/platform/${SWARMGRAD_PLATFORM}")
