// Every function of swarmgrad.h as a method handle, the whole binding in one record; what a call
// means is said in the
// header.
package org.swarmgrad.internal;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

record NativeFunctions(
    @NativeSignature(name = "swarmgrad_abi_version") MethodHandle abiVersion,
    @NativeSignature(name = "swarmgrad_version", returns = MemorySegment.class)
        MethodHandle version,
    @NativeSignature(name = "swarmgrad_last_error", returns = MemorySegment.class)
        MethodHandle lastError,
    @NativeSignature(
            name = "swarmgrad_struct_sizes",
            takes = {MemorySegment.class, int.class})
        MethodHandle structSizes,
    @NativeSignature(name = "swarmgrad_isa_available", takes = int.class) MethodHandle isaAvailable,
    @NativeSignature(name = "swarmgrad_device_count", takes = MemorySegment.class)
        MethodHandle deviceCount,
    @NativeSignature(
            name = "swarmgrad_device",
            takes = {int.class, MemorySegment.class})
        MethodHandle device,
    @NativeSignature(name = "swarmgrad_environment_count") MethodHandle environmentCount,
    @NativeSignature(
            name = "swarmgrad_environment",
            takes = {int.class, MemorySegment.class})
        MethodHandle environment,
    @NativeSignature(
            name = "swarmgrad_environment_parameter",
            takes = {int.class, int.class, MemorySegment.class})
        MethodHandle environmentParameter,
    @NativeSignature(
            name = "swarmgrad_find_environment",
            takes = {MemorySegment.class, MemorySegment.class, MemorySegment.class, int.class})
        MethodHandle findEnvironment,
    @NativeSignature(
            name = "swarmgrad_load_environment",
            takes = {MemorySegment.class, MemorySegment.class})
        MethodHandle loadEnvironment,
    @NativeSignature(
            name = "swarmgrad_load_device_code",
            takes = {int.class, MemorySegment.class, long.class})
        MethodHandle loadDeviceCode,
    @NativeSignature(
            name = "swarmgrad_create",
            takes = {MemorySegment.class, MemorySegment.class})
        MethodHandle create,
    @NativeSignature(name = "swarmgrad_destroy", takes = MemorySegment.class) MethodHandle destroy,
    @NativeSignature(
            name = "swarmgrad_get_info",
            takes = {MemorySegment.class, MemorySegment.class})
        MethodHandle getInfo,
    @NativeSignature(
            name = "swarmgrad_get_group",
            takes = {MemorySegment.class, int.class, MemorySegment.class})
        MethodHandle getGroup,
    @NativeSignature(
            name = "swarmgrad_train",
            takes = {MemorySegment.class, int.class, MemorySegment.class, MemorySegment.class})
        MethodHandle train,
    @NativeSignature(
            name = "swarmgrad_gradient",
            takes = {MemorySegment.class, MemorySegment.class, MemorySegment.class})
        MethodHandle gradient,
    @NativeSignature(
            name = "swarmgrad_step",
            takes = {MemorySegment.class, MemorySegment.class, MemorySegment.class})
        MethodHandle step,
    @NativeSignature(
            name = "swarmgrad_record",
            takes = {
              MemorySegment.class,
              MemorySegment.class,
              MemorySegment.class,
              MemorySegment.class
            })
        MethodHandle record,
    @NativeSignature(
            name = "swarmgrad_evaluate",
            takes = {
              MemorySegment.class,
              long.class,
              long.class,
              MemorySegment.class,
              MemorySegment.class
            })
        MethodHandle evaluate,
    @NativeSignature(name = "swarmgrad_cancel", takes = MemorySegment.class) MethodHandle cancel,
    @NativeSignature(
            name = "swarmgrad_progress",
            takes = {MemorySegment.class, MemorySegment.class})
        MethodHandle progress,
    @NativeSignature(
            name = "swarmgrad_heartbeat",
            takes = {MemorySegment.class, MemorySegment.class, MemorySegment.class})
        MethodHandle heartbeat,
    @NativeSignature(
            name = "swarmgrad_buffer",
            takes = {MemorySegment.class, int.class, MemorySegment.class})
        MethodHandle buffer,
    @NativeSignature(
            name = "swarmgrad_read",
            takes = {MemorySegment.class, int.class, MemorySegment.class, long.class})
        MethodHandle read,
    @NativeSignature(
            name = "swarmgrad_write",
            takes = {MemorySegment.class, int.class, MemorySegment.class, long.class})
        MethodHandle write,
    @NativeSignature(
            name = "swarmgrad_forward",
            takes = {
              MemorySegment.class,
              int.class,
              long.class,
              MemorySegment.class,
              MemorySegment.class,
              MemorySegment.class
            })
        MethodHandle forward,
    @NativeSignature(
            name = "swarmgrad_logits",
            takes = {MemorySegment.class, MemorySegment.class})
        MethodHandle logits,
    @NativeSignature(
            name = "swarmgrad_weights",
            takes = {MemorySegment.class, MemorySegment.class})
        MethodHandle weights,
    @NativeSignature(
            name = "swarmgrad_gradient_of",
            takes = {MemorySegment.class, MemorySegment.class, MemorySegment.class})
        MethodHandle gradientOf,
    @NativeSignature(
            name = "swarmgrad_fma_peak",
            takes = {MemorySegment.class, MemorySegment.class})
        MethodHandle fmaPeak,
    @NativeSignature(
            name = "swarmgrad_simulator_create",
            takes = {
              MemorySegment.class,
              MemorySegment.class,
              int.class,
              long.class,
              int.class,
              MemorySegment.class
            })
        MethodHandle simulatorCreate,
    @NativeSignature(name = "swarmgrad_simulator_destroy", takes = MemorySegment.class)
        MethodHandle simulatorDestroy,
    @NativeSignature(
            name = "swarmgrad_simulator_shape",
            takes = {
              MemorySegment.class,
              MemorySegment.class,
              MemorySegment.class,
              MemorySegment.class,
              MemorySegment.class
            })
        MethodHandle simulatorShape,
    @NativeSignature(
            name = "swarmgrad_simulator_group",
            takes = {MemorySegment.class, int.class, MemorySegment.class})
        MethodHandle simulatorGroup,
    @NativeSignature(
            name = "swarmgrad_simulator_field",
            takes = {MemorySegment.class, int.class, MemorySegment.class})
        MethodHandle simulatorField,
    @NativeSignature(
            name = "swarmgrad_simulator_reset",
            takes = {MemorySegment.class, int.class, int.class})
        MethodHandle simulatorReset,
    @NativeSignature(
            name = "swarmgrad_simulator_get",
            takes = {MemorySegment.class, int.class, MemorySegment.class})
        MethodHandle simulatorGet,
    @NativeSignature(
            name = "swarmgrad_simulator_set",
            takes = {MemorySegment.class, int.class, MemorySegment.class})
        MethodHandle simulatorSet,
    @NativeSignature(
            name = "swarmgrad_simulator_observe",
            takes = {MemorySegment.class, int.class, MemorySegment.class, MemorySegment.class})
        MethodHandle simulatorObserve,
    @NativeSignature(
            name = "swarmgrad_simulator_step",
            takes = {
              MemorySegment.class,
              MemorySegment.class,
              MemorySegment.class,
              MemorySegment.class,
              MemorySegment.class
            })
        MethodHandle simulatorStep) {}
