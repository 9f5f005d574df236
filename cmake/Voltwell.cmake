# The one-line functions by which every target of the project is declared. Sources are listed, never globbed.
include(GNUInstallDirs)

# Includes are written from the project's root: #include "libs/base/status.h".
function(_voltwell_target target)
  target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR})
endfunction()

# Reuses the precompiled gRPC header for a target whose units nearly all include grpcpp and generated code.
# Measured at -O0: a service's unit 8.8 s without, 5.5 s with.
function(_voltwell_grpc_pch target)
  if(VOLTWELL_PCH AND TARGET pch_grpc)
    # CMake compiles programs with -fPIE, but g++ takes a header precompiled with -fPIC only into units compiled so.
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "EXECUTABLE")
      set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
      target_compile_options(${target} PRIVATE -fPIC)
    endif()
    target_precompile_headers(${target} REUSE_FROM pch_grpc)
  endif()
endfunction()

# voltwell_library(NAME [GRPC] [SOURCES a.cpp ...] [DEPS target ...])
# One library, one directory, one namespace. Without SOURCES the library is headers only.
# GRPC: its units include grpcpp; they share the precompiled header.
function(voltwell_library name)
  cmake_parse_arguments(ARG "GRPC" "" "SOURCES;DEPS" ${ARGN})
  if(ARG_SOURCES)
    add_library(${name} STATIC ${ARG_SOURCES})
    target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
    target_link_libraries(${name} PUBLIC ${ARG_DEPS})
    if(ARG_GRPC)
      _voltwell_grpc_pch(${name})
    endif()
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE ${CMAKE_SOURCE_DIR})
    target_link_libraries(${name} INTERFACE ${ARG_DEPS})
  endif()
endfunction()

# voltwell_service(NAME SOURCES a.cpp ... DEPS target ...)
# Declares library ${NAME} (all but main, so that tests share it) and program voltwell-${NAME} with hyphens.
function(voltwell_service name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  voltwell_library(${name} GRPC SOURCES ${ARG_SOURCES} DEPS ${ARG_DEPS})
  string(REPLACE "_" "-" program "voltwell-${name}")
  add_executable(${program} main.cpp)
  target_link_libraries(${program} PRIVATE ${name})
  _voltwell_grpc_pch(${program})
  voltwell_program(${program})
  install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()

# voltwell_program(TARGET): what tools/up runs; `cmake --build --preset release --target programs` builds these and no test.
add_custom_target(programs)
function(voltwell_program target)
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  add_dependencies(programs ${target})
endfunction()

# voltwell_test(NAME [GRPC] [INTEGRATION] [SANITIZERS address thread] SOURCES a_test.cpp ... DEPS target ...)
# A Catch2 program; label unit, or integration when it starts a real PostgreSQL or Redis.
# SANITIZERS: the sanitizer presets in which it also runs.
function(voltwell_test name)
  cmake_parse_arguments(ARG "GRPC;INTEGRATION" "" "SOURCES;DEPS;SANITIZERS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} catch_main)
  if(ARG_GRPC)
    _voltwell_grpc_pch(${name})
  endif()
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  set(label unit)
  if(ARG_INTEGRATION)
    set(label integration)
  endif()
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${label};${ARG_SANITIZERS}" TIMEOUT 900
                                          ENVIRONMENT "VOLTWELL_SOURCE_DIR=${CMAKE_SOURCE_DIR}")
  foreach(sanitizer ${ARG_SANITIZERS})
    if(NOT TARGET tests_${sanitizer})
      add_custom_target(tests_${sanitizer})
    endif()
    add_dependencies(tests_${sanitizer} ${name})
  endforeach()
endfunction()

# voltwell_fuzzer(NAME SOURCES a_fuzz.cpp DEPS target ... [CORPUS directory])
function(voltwell_fuzzer name)
  if(NOT VOLTWELL_FUZZ)
    return()
  endif()
  cmake_parse_arguments(ARG "" "CORPUS" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS})
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
  if(NOT TARGET fuzzers)
    add_custom_target(fuzzers)
  endif()
  add_dependencies(fuzzers ${name})
endfunction()

# voltwell_proto(NAME FILES voltwell/x/v1/y.proto ... [SERVICES voltwell/x/v1/y_service.proto ...] [DEPS proto_z ...])
# Generates messages for FILES and SERVICES and gRPC stubs for SERVICES into one library.
function(voltwell_proto name)
  cmake_parse_arguments(ARG "" "" "FILES;SERVICES;DEPS" ${ARGN})
  set(root ${CMAKE_SOURCE_DIR}/proto)
  set(out ${CMAKE_BINARY_DIR}/gen)
  set(sources "")
  foreach(proto ${ARG_FILES} ${ARG_SERVICES})
    string(REGEX REPLACE "\\.proto$" "" stem ${proto})
    set(generated ${out}/${stem}.pb.cc ${out}/${stem}.pb.h)
    set(flags --cpp_out=${out})
    if(proto IN_LIST ARG_SERVICES)
      list(APPEND generated ${out}/${stem}.grpc.pb.cc ${out}/${stem}.grpc.pb.h)
      list(APPEND flags --grpc_out=${out} --plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin>)
    endif()
    add_custom_command(
      OUTPUT ${generated}
      COMMAND protobuf::protoc -I${root} ${flags} ${root}/${proto}
      DEPENDS ${root}/${proto}
      COMMENT "protoc ${proto}")
    list(APPEND sources ${generated})
  endforeach()
  file(MAKE_DIRECTORY ${out})
  add_library(${name} STATIC ${sources})
  # Generated code is not ours to warn about; -O1 compiles it in two thirds of the time (8.8 s against 12.6 s a stub).
  target_compile_options(${name} PRIVATE -w $<$<CONFIG:Release>:-O1>)
  target_include_directories(${name} SYSTEM PUBLIC ${out})
  target_link_libraries(${name} PUBLIC ${ARG_DEPS} protobuf::libprotobuf gRPC::grpc++)
  # Headers of the libraries it depends on must be generated before it compiles.
  if(ARG_DEPS)
    add_dependencies(${name} ${ARG_DEPS})
  endif()
  # OBJECT order: dependents wait for generation, since the custom command's outputs belong to this target.
endfunction()
