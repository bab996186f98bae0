// What tests tell the emulated device and ask of it; no part of CUDA's interface.
//
// A setting is a name with a text. Each has an environment variable, SWARMGRAD_EMULATION_ and the name in capitals, which
// counts until a test sets something else.
//
//   order            forward, reverse or random:SEED: of blocks, of warps between barriers, of lanes
//   streams          lazy (work waits until the host waits for it) or eager
//   devices          how many there are: 0 or 1
//   driver           the driver's version, 13000; less than 13000 is too old, 0 is none
//   architecture     75, 80, 86, 89, 90, 100 or 120; decides how much shared memory there is
//   multiprocessors  how many
//   blocks           the most that are resident on a multiprocessor; few make grids small, so that blocks do many turns
//   threads          the most that a block may have, 1024; fewer make a sanitizer's run short
//   memory           bytes of the device
//   fail             CALL:NUMBER, counted from now: the numbered call of that function fails as it would for want of memory
//                    or, where it takes none, with an unknown error; "kernel": the numbered kernel to run ends in a launch
//                    failure; "device": the device is lost while it runs. More than one: separated by commas.
#pragma once

extern "C" {

struct swarmgrad_emulation_usage {
  unsigned long long allocations, bytes;  // of device and pinned memory, alive now
  unsigned long long streams, events, graphs, libraries;
  unsigned long long kernels, graph_launches, synchronizations;  // since the process began
};

// Null: what the environment variable says, else the usual.
void swarmgrad_emulation_set(const char *setting, const char *value);
// All settings as they were, no error remembered; memory and handles stay.
void swarmgrad_emulation_reset(void);
struct swarmgrad_emulation_usage swarmgrad_emulation_inventory(void);
// What the last kernel error was; empty if there was none since the last reset.
const char *swarmgrad_emulation_message(void);

}  // extern "C"
