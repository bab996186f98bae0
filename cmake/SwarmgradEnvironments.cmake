# The one list of built-in environments: NAME names native/environments/NAME.h, TYPE the struct in it.
# A new environment is one more line here.

set(SWARMGRAD_ENVIRONMENTS
    # NAME          TYPE
    simple_spread:SimpleSpread
    meeting:Meeting
    cartpole:CartPole)

# catalogue.inc: one SWARMGRAD_CATALOGUE_ENTRY(NAME) a line, in list order.
set(SWARMGRAD_GENERATED_DIR "${PROJECT_BINARY_DIR}/generated")
set(_catalogue "")
foreach(_environment IN LISTS SWARMGRAD_ENVIRONMENTS)
  string(REGEX REPLACE ":.*" "" _name "${_environment}")
  string(APPEND _catalogue "SWARMGRAD_CATALOGUE_ENTRY(${_name})\n")
endforeach()
file(CONFIGURE OUTPUT "${SWARMGRAD_GENERATED_DIR}/catalogue.inc" CONTENT "${_catalogue}" @ONLY)

# Writes one translation unit an environment from native/cpu/environment.cpp.in; returns their paths.
function(swarmgrad_environment_sources OUTPUT)
  set(_template "${PROJECT_SOURCE_DIR}/native/cpu/environment.cpp.in")
  set(_sources "")
  foreach(_environment IN LISTS SWARMGRAD_ENVIRONMENTS)
    string(REPLACE ":" ";" _pair "${_environment}")
    list(GET _pair 0 SWARMGRAD_ENVIRONMENT_NAME)
    list(GET _pair 1 SWARMGRAD_ENVIRONMENT_TYPE)
    set(SWARMGRAD_ENVIRONMENT_HEADER "environments/${SWARMGRAD_ENVIRONMENT_NAME}.h")
    if(EXISTS "${_template}" AND EXISTS "${PROJECT_SOURCE_DIR}/native/${SWARMGRAD_ENVIRONMENT_HEADER}")
      set(_source "${SWARMGRAD_GENERATED_DIR}/environment_${SWARMGRAD_ENVIRONMENT_NAME}.cpp")
      configure_file("${_template}" "${_source}" @ONLY)
      list(APPEND _sources "${_source}")
    endif()
  endforeach()
  set(${OUTPUT} "${_sources}" PARENT_SCOPE)
endfunction()
