# What `cmake --install` and CPack lay down: libraries, C header, headers for both devices, package configuration.
include(CMakePackageConfigHelpers)

set(_libraries swarmgrad_cpu)
set(_suffix "")
if(TARGET swarmgrad_cuda)
  list(APPEND _libraries swarmgrad_cuda)
  set(_suffix "-cuda")
endif()
install(TARGETS ${_libraries} EXPORT swarmgrad LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/native/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
set(_headers "${CMAKE_INSTALL_DATADIR}/swarmgrad")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/native/core" "${PROJECT_SOURCE_DIR}/native/environments"
        DESTINATION "${_headers}" FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
install(FILES "${PROJECT_SOURCE_DIR}/native/host/environment_adapter.h" "${PROJECT_SOURCE_DIR}/native/host/plan.h"
              "${PROJECT_SOURCE_DIR}/native/host/user_environment.cpp" DESTINATION "${_headers}/host")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")

set(_package "${CMAKE_INSTALL_LIBDIR}/cmake/swarmgrad")
install(EXPORT swarmgrad NAMESPACE swarmgrad:: FILE swarmgrad-targets.cmake DESTINATION "${_package}")
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/swarmgrad-config.cmake.in"
                              "${SWARMGRAD_GENERATED_DIR}/swarmgrad-config.cmake" INSTALL_DESTINATION "${_package}"
                              PATH_VARS _headers)
write_basic_package_version_file("${SWARMGRAD_GENERATED_DIR}/swarmgrad-config-version.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${SWARMGRAD_GENERATED_DIR}/swarmgrad-config.cmake"
              "${SWARMGRAD_GENERATED_DIR}/swarmgrad-config-version.cmake"
              "${CMAKE_CURRENT_LIST_DIR}/SwarmgradAddEnvironment.cmake"
              "${CMAKE_CURRENT_LIST_DIR}/SwarmgradInstructionSets.cmake" "${CMAKE_CURRENT_LIST_DIR}/compile_flags.txt"
        DESTINATION "${_package}")

set(CPACK_GENERATOR TGZ)
set(CPACK_PACKAGE_VENDOR "swarmgrad")
set(CPACK_PACKAGE_FILE_NAME "swarmgrad-${PROJECT_VERSION}-${SWARMGRAD_PLATFORM}${_suffix}")
set(CPACK_RESOURCE_FILE_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")
include(CPack)
