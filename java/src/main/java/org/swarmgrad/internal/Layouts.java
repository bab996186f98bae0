// The structs of swarmgrad.h as memory layouts, in the order of their definition; NativeLibrary
// compares their sizes with
// the library's own when it loads.
package org.swarmgrad.internal;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.util.List;

final class Layouts {
  private Layouts() {}

  static final StructLayout VALUE =
      MemoryLayout.structLayout(ADDRESS.withName("name"), JAVA_DOUBLE.withName("value"))
          .withName("swarmgrad_value");

  static final StructLayout POLICY =
      MemoryLayout.structLayout(
              JAVA_INT.withName("size"),
              JAVA_INT.withName("activation"),
              JAVA_INT.withName("hidden_count"),
              MemoryLayout.sequenceLayout(4, JAVA_INT).withName("hidden_size"),
              JAVA_INT.withName("reserved"))
          .withName("swarmgrad_policy");

  static final StructLayout CONFIG =
      MemoryLayout.structLayout(
              JAVA_INT.withName("size"),
              JAVA_INT.withName("abi_version"),
              ADDRESS.withName("environment"),
              ADDRESS.withName("parameters"),
              ADDRESS.withName("policies"),
              ADDRESS.withName("callbacks"),
              JAVA_INT.withName("parameter_count"),
              JAVA_INT.withName("policy_count"),
              JAVA_LONG.withName("environments"),
              JAVA_LONG.withName("seed"),
              JAVA_DOUBLE.withName("discount"),
              JAVA_DOUBLE.withName("entropy_coefficient"),
              JAVA_DOUBLE.withName("gradient_clip"),
              JAVA_DOUBLE.withName("adam_beta1"),
              JAVA_DOUBLE.withName("adam_beta2"),
              JAVA_DOUBLE.withName("adam_epsilon"),
              JAVA_INT.withName("horizon"),
              JAVA_INT.withName("weight"),
              JAVA_INT.withName("baseline"),
              JAVA_INT.withName("agent_reduction"),
              JAVA_INT.withName("scale"),
              JAVA_INT.withName("optimizer"),
              JAVA_INT.withName("threads"),
              JAVA_INT.withName("isa"),
              JAVA_INT.withName("share"),
              JAVA_INT.withName("agent_index"),
              JAVA_LONG.withName("stored_bytes"),
              JAVA_INT.withName("device"),
              JAVA_INT.withName("normalises"),
              ADDRESS.withName("value_policies"),
              JAVA_INT.withName("value_policy_count"),
              JAVA_INT.withName("value_input"),
              JAVA_DOUBLE.withName("lambda"),
              JAVA_INT.withName("bootstraps"),
              JAVA_INT.withName("reserved"),
              JAVA_DOUBLE.withName("reward_scale"))
          .withName("swarmgrad_config");

  static final StructLayout RATES =
      MemoryLayout.structLayout(
              JAVA_DOUBLE.withName("learning_rate"),
              JAVA_DOUBLE.withName("value_learning_rate"),
              JAVA_DOUBLE.withName("entropy_coefficient"))
          .withName("swarmgrad_rates");

  static final StructLayout INFO =
      MemoryLayout.structLayout(
              JAVA_INT.withName("size"),
              JAVA_INT.withName("group_count"),
              JAVA_INT.withName("agent_count"),
              JAVA_INT.withName("horizon"),
              JAVA_INT.withName("threads"),
              JAVA_INT.withName("isa"),
              JAVA_INT.withName("replays"),
              JAVA_INT.withName("buffer_count"),
              JAVA_LONG.withName("cohort_count"),
              JAVA_LONG.withName("parameter_count"),
              JAVA_LONG.withName("bytes_per_cohort"),
              JAVA_LONG.withName("bytes_total"),
              JAVA_LONG.withName("flop_per_agent_step"))
          .withName("swarmgrad_info");

  static final StructLayout GROUP =
      MemoryLayout.structLayout(
              JAVA_INT.withName("size"),
              JAVA_INT.withName("first_agent"),
              JAVA_INT.withName("agent_count"),
              JAVA_INT.withName("observation_size"),
              JAVA_INT.withName("action_count"),
              JAVA_INT.withName("has_mask"),
              JAVA_INT.withName("hidden_total"),
              JAVA_INT.withName("reserved"),
              JAVA_LONG.withName("parameter_offset"),
              JAVA_LONG.withName("parameter_count"),
              ADDRESS.withName("name"),
              JAVA_INT.withName("value_agents"),
              JAVA_INT.withName("value_observation_size"),
              JAVA_INT.withName("value_hidden_total"),
              JAVA_INT.withName("reserved_value"),
              JAVA_LONG.withName("value_parameter_offset"),
              JAVA_LONG.withName("value_parameter_count"))
          .withName("swarmgrad_group");

  static final StructLayout STATISTICS =
      MemoryLayout.structLayout(
              JAVA_INT.withName("size"),
              JAVA_INT.withName("group"),
              JAVA_LONG.withName("iteration"),
              JAVA_LONG.withName("episodes"),
              JAVA_LONG.withName("agent_steps"),
              JAVA_DOUBLE.withName("team_return_mean"),
              JAVA_DOUBLE.withName("team_return_deviation"),
              JAVA_DOUBLE.withName("team_return_minimum"),
              JAVA_DOUBLE.withName("team_return_maximum"),
              JAVA_DOUBLE.withName("agent_return_mean"),
              JAVA_DOUBLE.withName("episode_length_mean"),
              JAVA_DOUBLE.withName("entropy_mean"),
              JAVA_DOUBLE.withName("gradient_norm"),
              JAVA_DOUBLE.withName("weight_variance"),
              JAVA_DOUBLE.withName("effective_sample_size"),
              JAVA_DOUBLE.withName("scale"),
              JAVA_DOUBLE.withName("value_loss"),
              JAVA_DOUBLE.withName("value_gradient_norm"))
          .withName("swarmgrad_statistics");

  static final StructLayout BUFFER_INFO =
      MemoryLayout.structLayout(
              JAVA_INT.withName("size"),
              JAVA_INT.withName("type"),
              JAVA_INT.withName("checkpointed"),
              JAVA_INT.withName("group"),
              JAVA_LONG.withName("count"),
              ADDRESS.withName("name"))
          .withName("swarmgrad_buffer_info");

  static final StructLayout TRAJECTORIES =
      MemoryLayout.structLayout(
              JAVA_INT.withName("size"),
              JAVA_INT.withName("group"),
              ADDRESS.withName("observation"),
              ADDRESS.withName("action"),
              ADDRESS.withName("reward"),
              ADDRESS.withName("log_probability"),
              ADDRESS.withName("weight"),
              ADDRESS.withName("alive"),
              ADDRESS.withName("mask"),
              ADDRESS.withName("episode_length"),
              ADDRESS.withName("truncated"),
              ADDRESS.withName("value"),
              ADDRESS.withName("value_error"))
          .withName("swarmgrad_trajectories");

  static final StructLayout BATCH =
      MemoryLayout.structLayout(
              JAVA_INT.withName("size"),
              JAVA_INT.withName("network"),
              JAVA_LONG.withName("environments"),
              JAVA_INT.withName("steps"),
              JAVA_INT.withName("reserved"),
              ADDRESS.withName("observation"),
              ADDRESS.withName("action"),
              ADDRESS.withName("weight"),
              ADDRESS.withName("alive"),
              ADDRESS.withName("mask"))
          .withName("swarmgrad_batch");

  static final StructLayout REWARDS =
      MemoryLayout.structLayout(
              JAVA_INT.withName("size"),
              JAVA_INT.withName("group"),
              JAVA_LONG.withName("environments"),
              JAVA_LONG.withName("cohort_count"),
              JAVA_INT.withName("steps"),
              JAVA_INT.withName("reserved"),
              ADDRESS.withName("cohort_first"),
              ADDRESS.withName("reward"),
              ADDRESS.withName("alive"),
              ADDRESS.withName("episode_length"),
              ADDRESS.withName("truncated"),
              ADDRESS.withName("value"),
              ADDRESS.withName("weight"),
              ADDRESS.withName("value_error"))
          .withName("swarmgrad_rewards");

  static final StructLayout LOGIT_ROWS =
      MemoryLayout.structLayout(
              JAVA_INT.withName("size"),
              JAVA_INT.withName("action_count"),
              JAVA_LONG.withName("rows"),
              JAVA_DOUBLE.withName("entropy_coefficient"),
              ADDRESS.withName("logit"),
              ADDRESS.withName("mask"),
              ADDRESS.withName("weight"),
              ADDRESS.withName("action"),
              JAVA_INT.withName("sample"),
              JAVA_INT.withName("iteration"),
              ADDRESS.withName("log_probability"),
              ADDRESS.withName("entropy"),
              ADDRESS.withName("gradient"))
          .withName("swarmgrad_logit_rows");

  static final StructLayout ENVIRONMENT_INFO =
      MemoryLayout.structLayout(
              JAVA_INT.withName("size"),
              JAVA_INT.withName("parameter_count"),
              ADDRESS.withName("id"),
              ADDRESS.withName("id_pattern"),
              ADDRESS.withName("summary"),
              ADDRESS.withName("description"))
          .withName("swarmgrad_environment_info");

  static final StructLayout PARAMETER_INFO =
      MemoryLayout.structLayout(
              JAVA_INT.withName("size"),
              JAVA_INT.withName("is_integer"),
              JAVA_DOUBLE.withName("default_value"),
              JAVA_DOUBLE.withName("minimum"),
              JAVA_DOUBLE.withName("maximum"),
              ADDRESS.withName("name"),
              ADDRESS.withName("summary"),
              ADDRESS.withName("choices"))
          .withName("swarmgrad_parameter_info");

  static final StructLayout FIELD =
      MemoryLayout.structLayout(
              JAVA_INT.withName("size"),
              JAVA_INT.withName("is_integer"),
              JAVA_INT.withName("is_chance"),
              JAVA_INT.withName("rows"),
              JAVA_INT.withName("columns"),
              JAVA_INT.withName("reserved"),
              ADDRESS.withName("name"))
          .withName("swarmgrad_field");

  static final StructLayout COHORT =
      MemoryLayout.structLayout(
              JAVA_INT.withName("size"),
              JAVA_INT.withName("episodes"),
              JAVA_INT.withName("first_environment"),
              JAVA_INT.withName("iteration"),
              JAVA_INT.withName("step"),
              JAVA_INT.withName("playing"),
              JAVA_INT.withName("done"),
              JAVA_INT.withName("reserved"),
              ADDRESS.withName("caller"),
              ADDRESS.withName("action"),
              ADDRESS.withName("reward"),
              ADDRESS.withName("observation"),
              ADDRESS.withName("available"),
              ADDRESS.withName("alive"),
              ADDRESS.withName("draw"))
          .withName("swarmgrad_cohort");

  static final StructLayout CALLBACKS =
      MemoryLayout.structLayout(
              JAVA_INT.withName("size"),
              JAVA_INT.withName("group_count"),
              JAVA_INT.withName("horizon"),
              JAVA_INT.withName("reserved"),
              ADDRESS.withName("groups"),
              ADDRESS.withName("context"),
              ADDRESS.withName("reset"),
              ADDRESS.withName("step"))
          .withName("swarmgrad_callbacks");

  static final StructLayout DEVICE_INFO =
      MemoryLayout.structLayout(
              JAVA_INT.withName("size"),
              JAVA_INT.withName("index"),
              JAVA_INT.withName("compute_major"),
              JAVA_INT.withName("compute_minor"),
              JAVA_INT.withName("multiprocessors"),
              JAVA_INT.withName("driver_version"),
              JAVA_INT.withName("runtime_version"),
              JAVA_INT.withName("pci_domain"),
              JAVA_INT.withName("pci_bus"),
              JAVA_INT.withName("pci_slot"),
              JAVA_LONG.withName("memory_bytes"),
              JAVA_LONG.withName("free_memory_bytes"),
              JAVA_LONG.withName("shared_bytes_per_block"),
              MemoryLayout.sequenceLayout(256, JAVA_BYTE).withName("name"))
          .withName("swarmgrad_device_info");

  /** The order of swarmgrad_struct_sizes. */
  static final List<StructLayout> ALL =
      List.of(
          VALUE,
          POLICY,
          CONFIG,
          RATES,
          INFO,
          GROUP,
          STATISTICS,
          BUFFER_INFO,
          TRAJECTORIES,
          BATCH,
          REWARDS,
          LOGIT_ROWS,
          ENVIRONMENT_INFO,
          PARAMETER_INFO,
          FIELD,
          COHORT,
          CALLBACKS,
          DEVICE_INFO);

  private static final long LONGEST_STRING_BYTES = 1 << 20;

  /** A zeroed struct whose first member, its size, is set. */
  static MemorySegment allocate(Arena arena, StructLayout layout) {
    return allocate(arena, layout, 1);
  }

  /** An array of such structs. */
  static MemorySegment allocate(Arena arena, StructLayout layout, long count) {
    MemorySegment structs = arena.allocate(layout, count);
    for (long i = 0; i < count; i++) {
      structs.set(JAVA_INT, i * layout.byteSize(), (int) layout.byteSize());
    }
    return structs;
  }

  /** Struct `index` of an array. */
  static MemorySegment element(StructLayout layout, MemorySegment structs, long index) {
    return structs.asSlice(index * layout.byteSize(), layout.byteSize());
  }

  static long offset(StructLayout layout, String member) {
    return layout.byteOffset(MemoryLayout.PathElement.groupElement(member));
  }

  static int getInt(StructLayout layout, MemorySegment struct, String member) {
    return struct.get(JAVA_INT, offset(layout, member));
  }

  static long getLong(StructLayout layout, MemorySegment struct, String member) {
    return struct.get(JAVA_LONG, offset(layout, member));
  }

  static double getDouble(StructLayout layout, MemorySegment struct, String member) {
    return struct.get(JAVA_DOUBLE, offset(layout, member));
  }

  /** Text behind a const char* member, null for a null pointer. */
  static String getString(StructLayout layout, MemorySegment struct, String member) {
    return string(struct.get(ADDRESS, offset(layout, member)));
  }

  @SuppressWarnings("restricted") // the library promises a terminated string
  static String string(MemorySegment text) {
    return text.address() == 0 ? null : text.reinterpret(LONGEST_STRING_BYTES).getString(0);
  }

  static void set(StructLayout layout, MemorySegment struct, String member, int value) {
    struct.set(JAVA_INT, offset(layout, member), value);
  }

  static void set(StructLayout layout, MemorySegment struct, String member, long value) {
    struct.set(JAVA_LONG, offset(layout, member), value);
  }

  static void set(StructLayout layout, MemorySegment struct, String member, double value) {
    struct.set(JAVA_DOUBLE, offset(layout, member), value);
  }

  static void set(StructLayout layout, MemorySegment struct, String member, MemorySegment value) {
    struct.set(ADDRESS, offset(layout, member), value);
  }
}
