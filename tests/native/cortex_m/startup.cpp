// Start of a program on a Cortex-M board of QEMU: memory is set up, files and exit go through semihosting.
#include <malloc.h>
#include <stdint.h>

extern "C" {
extern uint32_t __stack_top, __data_load, __data_start, __data_end, __bss_start, __bss_end;
void initialise_monitor_handles(void);
[[noreturn]] void exit(int);
[[noreturn]] void _exit(int);
void _init(void) {}
void _fini(void) {}
void __libc_init_array(void);
void* __dso_handle = nullptr;
}

// Newlib's aligned_alloc calls it, but does not bring it.
extern "C" int posix_memalign(void** memory, size_t alignment, size_t size) {
  *memory = memalign(alignment, size);
  return *memory == nullptr ? 12 : 0;
}

int driver_main(int argc, char** argv);

// A crash is a failed test, not one that hangs.
static void fault(void) { _exit(111); }

extern "C" [[noreturn]] void Reset_Handler(void) {
  *reinterpret_cast<volatile uint32_t*>(0xE000ED88U) |= 0xFU << 20;  // floating-point unit on
  __asm volatile("dsb\n isb");
  for (uint32_t *from = &__data_load, *to = &__data_start; to < &__data_end;) *to++ = *from++;
  for (uint32_t* to = &__bss_start; to < &__bss_end;) *to++ = 0;
  initialise_monitor_handles();
  __libc_init_array();
  static char program[] = "driver", input[] = "input.bin", output[] = "output.bin";
  char* argv[] = {program, input, output, nullptr};
  exit(driver_main(3, argv));
}

extern "C" __attribute__((section(".isr_vector"), used)) void (*const vectors[16])(void) = {
    reinterpret_cast<void (*)(void)>(&__stack_top), Reset_Handler, fault, fault, fault, fault, fault, nullptr, nullptr,
    nullptr, nullptr, fault, fault, nullptr, fault, fault};
