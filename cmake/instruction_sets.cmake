# atelier_instruction_sets(target): the kernels of src/tensor, one source per instruction set, are compiled with that
# set's flags in `target`, and nothing else is. A set that this file does not name for a processor is not in `target`.
function(atelier_instruction_set target name)  # flags...
  file(GLOB sources ${tensor}/*/*_kernels_${name}.cpp)
  set_source_files_properties(${sources} PROPERTIES COMPILE_OPTIONS "-O3;-ffp-contract=off;${ARGN}")
  string(TOUPPER ATELIER_${name} definition)
  target_compile_definitions(${target} PRIVATE ${definition})
endfunction()

function(atelier_instruction_sets target)
  get_filename_component(tensor ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../src/tensor ABSOLUTE)
  set_source_files_properties(${tensor}/kernels/float_kernels.cpp ${tensor}/packed/packed_kernels.cpp
    ${tensor}/embedding/embedding_kernels.cpp PROPERTIES COMPILE_OPTIONS -ffp-contract=off)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    set(avx2 -mavx2 -mfma -mf16c)
    set(avx512 ${avx2} -mavx512f -mavx512bw -mavx512dq -mavx512vl)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      list(APPEND avx512 -Wno-uninitialized -Wno-maybe-uninitialized)  # GCC 12 takes its own undefined registers for it
    endif()
    atelier_instruction_set(${target} avx2 ${avx2})
    atelier_instruction_set(${target} avx512 ${avx512})
    atelier_instruction_set(${target} avx512vnni ${avx512} -mavx512vnni)
    atelier_instruction_set(${target} amx ${avx512} -mavx512vnni -mamx-tile -mamx-int8)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    atelier_instruction_set(${target} neon)
    atelier_instruction_set(${target} neondot -march=armv8.2-a+dotprod)
  endif()
endfunction()
