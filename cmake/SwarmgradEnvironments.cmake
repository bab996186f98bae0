# The one list of built-in environments: NAME names native/environments/NAME.h, TYPE the struct in it. BLOCKS, 2 where it is
# not said, is how many blocks of its rollout kernel the registers of a GPU must leave room for: those that say 1 would spill
# on some. A new environment is one more line here.

set(SWARMGRAD_ENVIRONMENTS
    # NAME:TYPE[:BLOCKS]
    simple_spread:SimpleSpread
    simple_tag:SimpleTag
    simple_speaker_listener:SimpleSpeakerListener
    simple_reference:SimpleReference
    meeting:Meeting
    cartpole:CartPole
    foraging:Foraging:1
    rware:Rware:1
    overcooked:Overcooked
    smax:Smax:1
    climbing:Climbing
    penalty:Penalty
    prisoners_dilemma:PrisonersDilemma
    stag_hunt:StagHunt
    common_interest:CommonInterest
    crowd:Crowd)

# catalogue.inc: one SWARMGRAD_CATALOGUE_ENTRY(NAME) a line, in list order.
set(SWARMGRAD_GENERATED_DIR "${PROJECT_BINARY_DIR}/generated")
set(_catalogue "")
foreach(_environment IN LISTS SWARMGRAD_ENVIRONMENTS)
  string(REGEX REPLACE ":.*" "" _name "${_environment}")
  string(APPEND _catalogue "SWARMGRAD_CATALOGUE_ENTRY(${_name})\n")
endforeach()
file(CONFIGURE OUTPUT "${SWARMGRAD_GENERATED_DIR}/catalogue.inc" CONTENT "${_catalogue}" @ONLY)

# Writes one translation unit an environment from TEMPLATE (native/host/environment.cpp.in, for example); returns their paths.
function(swarmgrad_environment_units TEMPLATE OUTPUT)
  cmake_path(GET TEMPLATE FILENAME _template)
  string(REGEX REPLACE "^environment(.*)\\.in$" "\\1" _extension "${_template}")
  set(_units "")
  foreach(_environment IN LISTS SWARMGRAD_ENVIRONMENTS)
    string(REPLACE ":" ";" _pair "${_environment}")
    list(GET _pair 0 SWARMGRAD_ENVIRONMENT_NAME)
    list(GET _pair 1 SWARMGRAD_ENVIRONMENT_TYPE)
    set(SWARMGRAD_ENVIRONMENT_BLOCKS 2)
    if(_environment MATCHES ":.*:(.*)")
      set(SWARMGRAD_ENVIRONMENT_BLOCKS "${CMAKE_MATCH_1}")
    endif()
    set(SWARMGRAD_ENVIRONMENT_HEADER "environments/${SWARMGRAD_ENVIRONMENT_NAME}.h")
    set(_unit "${SWARMGRAD_GENERATED_DIR}/${SWARMGRAD_ENVIRONMENT_NAME}${_extension}")
    configure_file("${TEMPLATE}" "${_unit}" @ONLY)
    list(APPEND _units "${_unit}")
  endforeach()
  set(${OUTPUT} "${_units}" PARENT_SCOPE)
endfunction()
