# The worker protocol, generated from proto/ into one library.
set(proto_dir ${CMAKE_BINARY_DIR}/generated/proto)
file(MAKE_DIRECTORY ${proto_dir}/atelier)
get_target_property(grpc_plugin gRPC::grpc_cpp_plugin LOCATION)
set(proto_outputs)
foreach(name worker)
  set(outputs
    ${proto_dir}/atelier/${name}.pb.cc ${proto_dir}/atelier/${name}.pb.h
    ${proto_dir}/atelier/${name}.grpc.pb.cc ${proto_dir}/atelier/${name}.grpc.pb.h)
  add_custom_command(
    OUTPUT ${outputs}
    COMMAND protobuf::protoc --proto_path=${CMAKE_SOURCE_DIR}/proto --cpp_out=${proto_dir} --grpc_out=${proto_dir}
      --plugin=protoc-gen-grpc=${grpc_plugin} atelier/${name}.proto
    DEPENDS ${CMAKE_SOURCE_DIR}/proto/atelier/${name}.proto)
  list(APPEND proto_outputs ${outputs})
endforeach()
add_library(atelier_proto STATIC ${proto_outputs})
target_compile_options(atelier_proto PRIVATE -w)
target_include_directories(atelier_proto SYSTEM PUBLIC ${proto_dir})
target_link_libraries(atelier_proto PUBLIC gRPC::grpc++ protobuf::libprotobuf)
