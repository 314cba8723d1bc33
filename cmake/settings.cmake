# Settings, flags, environment variables and their checks, generated from spec/settings.yaml.
set(settings_dir ${CMAKE_BINARY_DIR}/generated/base)
set(settings_spec ${CMAKE_SOURCE_DIR}/spec/settings.yaml)
set(settings_generator ${CMAKE_SOURCE_DIR}/tools/generate_settings.py)

# The python3 first on the path may be one without PyYAML; then the system's is taken.
if(NOT ATELIER_PYTHON)
  find_program(first_python python3)
  foreach(python ${first_python} /usr/bin/python3)
    execute_process(COMMAND ${python} -c "import yaml" RESULT_VARIABLE failed ERROR_QUIET)
    if(failed EQUAL 0)
      set(ATELIER_PYTHON ${python} CACHE FILEPATH "A Python 3 with PyYAML")
      break()
    endif()
  endforeach()
endif()
if(NOT ATELIER_PYTHON)
  message(FATAL_ERROR "no python3 with PyYAML (Debian: python3-yaml)")
endif()

add_custom_command(
  OUTPUT ${settings_dir}/settings.h ${settings_dir}/settings.cpp
  COMMAND ${ATELIER_PYTHON} ${settings_generator} ${settings_spec} --cpp ${settings_dir}
  DEPENDS ${settings_spec} ${settings_generator}
  COMMENT "Generating settings"
  VERBATIM)
set(ATELIER_SETTINGS_CPP ${settings_dir}/settings.cpp ${settings_dir}/settings.h)
