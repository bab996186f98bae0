// Marshals Engine's calls: Java values into memory of a short-lived arena, one native call, results
// back; no policy of its own.
package org.swarmgrad.internal;

import static org.swarmgrad.internal.Calls.copy;
import static org.swarmgrad.internal.Calls.floats;
import static org.swarmgrad.internal.Calls.ints;
import static org.swarmgrad.internal.Calls.toBytes;
import static org.swarmgrad.internal.Calls.toFloats;
import static org.swarmgrad.internal.Calls.toInts;
import static org.swarmgrad.internal.Layouts.allocate;
import static org.swarmgrad.internal.Layouts.element;
import static org.swarmgrad.internal.Layouts.getDouble;
import static org.swarmgrad.internal.Layouts.getInt;
import static org.swarmgrad.internal.Layouts.getLong;
import static org.swarmgrad.internal.Layouts.getString;
import static org.swarmgrad.internal.Layouts.set;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.swarmgrad.Acting;
import org.swarmgrad.Backend;
import org.swarmgrad.Baseline;
import org.swarmgrad.Batch;
import org.swarmgrad.Buffer;
import org.swarmgrad.CancelledException;
import org.swarmgrad.Device;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.EngineInfo;
import org.swarmgrad.Forward;
import org.swarmgrad.Gradient;
import org.swarmgrad.Group;
import org.swarmgrad.Heartbeat;
import org.swarmgrad.InstructionSet;
import org.swarmgrad.LogitRows;
import org.swarmgrad.Policy;
import org.swarmgrad.Rates;
import org.swarmgrad.Recording;
import org.swarmgrad.Rewards;
import org.swarmgrad.Statistics;
import org.swarmgrad.Trajectories;
import org.swarmgrad.Weights;

public final class NativeEngine implements AutoCloseable {
  private final HandleGuard guard = new HandleGuard("engine");
  private final EnvironmentPlayers players; // null where the environment is of the catalogue
  private final NativeLibrary library;
  private final NativeFunctions functions;
  private final String gpu; // null where it is the CPU
  private final MemorySegment handle;
  private final EngineInfo info;
  private final List<Group> groups;

  /** Odd while a call that plays episodes runs. */
  private final AtomicLong plays = new AtomicLong();

  public NativeEngine(EngineConfig config, Device device) {
    boolean cuda = device.backend() == Backend.CUDA;
    library = cuda ? NativeLibrary.cuda() : NativeLibrary.cpu();
    functions = library.functions();
    gpu = cuda ? NativeDevices.read(library, device.index()).name() : null;
    if (cuda) {
      UserEnvironments.giveToCuda(config.environment().id());
    }
    players = config.javaEnvironment().map(EnvironmentPlayers::new).orElse(null);
    try {
      handle = create(config, device);
    } catch (Throwable failure) {
      closePlayers();
      throw failure;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment struct = allocate(arena, Layouts.INFO);
      library.check(() -> (int) functions.getInfo().invokeExact(handle, struct));
      info = readInfo(struct);
      List<Group> list = new ArrayList<>();
      for (int i = 0; i < getInt(Layouts.INFO, struct, "group_count"); i++) {
        int group = i;
        MemorySegment groupStruct = allocate(arena, Layouts.GROUP);
        library.check(() -> (int) functions.getGroup().invokeExact(handle, group, groupStruct));
        list.add(readGroup(groupStruct));
      }
      groups = Collections.unmodifiableList(list);
    } catch (Throwable failure) {
      destroy();
      throw failure;
    }
  }

  private void closePlayers() {
    if (players != null) {
      players.close();
    }
  }

  private void destroy() {
    if (players == null || !players.isLost()) {
      library.check(() -> (int) functions.destroy().invokeExact(handle));
    }
    closePlayers();
  }

  /** Calls that play episodes. */
  private <T> T play(Supplier<T> call) {
    return guard.use(
        () -> {
          plays.incrementAndGet();
          try {
            return players == null
                ? call.get()
                : players.watch(call, () -> library.check(this::requestCancel));
          } finally {
            plays.incrementAndGet();
          }
        });
  }

  private int requestCancel() throws Throwable {
    return (int) functions.cancel().invokeExact(handle);
  }

  private MemorySegment create(EngineConfig config, Device device) {
    try (Arena arena = Arena.ofConfined()) {
      boolean values = config.baseline() == Baseline.LEARNED_VALUE;
      List<Policy> valuePolicies = values ? config.valuePolicies() : List.of();
      Map<String, Double> parameters = config.environment().parameters();
      StructLayout layout = Layouts.CONFIG;
      MemorySegment struct = allocate(arena, layout);
      set(layout, struct, "abi_version", NativeLibrary.ABI_VERSION);
      set(layout, struct, "environment", arena.allocateFrom(config.environment().id()));
      set(layout, struct, "parameters", writeValues(arena, parameters));
      set(layout, struct, "policies", writePolicies(arena, config.policies()));
      set(layout, struct, "callbacks", players == null ? MemorySegment.NULL : players.callbacks());
      set(layout, struct, "parameter_count", parameters.size());
      set(layout, struct, "policy_count", config.policies().size());
      set(layout, struct, "environments", config.environments());
      set(layout, struct, "seed", config.seed());
      set(layout, struct, "discount", config.discount());
      set(layout, struct, "entropy_coefficient", config.entropyCoefficient());
      set(layout, struct, "gradient_clip", config.gradientClip());
      set(layout, struct, "adam_beta1", config.adamBeta1());
      set(layout, struct, "adam_beta2", config.adamBeta2());
      set(layout, struct, "adam_epsilon", config.adamEpsilon());
      set(layout, struct, "horizon", config.horizon());
      set(layout, struct, "weight", config.weight().ordinal());
      set(layout, struct, "baseline", config.baseline().ordinal());
      set(layout, struct, "agent_reduction", config.agentReduction().ordinal());
      set(layout, struct, "share", config.share().ordinal());
      set(layout, struct, "agent_index", config.agentIndex() ? 1 : 0);
      set(layout, struct, "scale", config.scale().ordinal());
      set(layout, struct, "optimizer", config.optimizer().ordinal());
      set(layout, struct, "threads", config.threads());
      set(layout, struct, "isa", config.instructionSet().ordinal());
      set(layout, struct, "device", device.index());
      set(layout, struct, "normalises", config.observationNormalisation() ? 1 : 0);
      set(layout, struct, "value_policies", writePolicies(arena, valuePolicies));
      set(layout, struct, "value_policy_count", valuePolicies.size());
      set(layout, struct, "value_input", config.valueInput().ordinal());
      set(layout, struct, "lambda", config.lambda());
      set(layout, struct, "bootstraps", config.bootstrap() ? 1 : 0);
      set(layout, struct, "reward_scale", config.rewardScale());
      MemorySegment pointer = arena.allocate(ValueLayout.ADDRESS);
      library.check(() -> (int) functions.create().invokeExact(struct, pointer));
      return pointer.get(ValueLayout.ADDRESS, 0);
    }
  }

  /** swarmgrad_policy [policies], null where there are none. */
  private static MemorySegment writePolicies(Arena arena, List<Policy> policies) {
    if (policies.isEmpty()) {
      return MemorySegment.NULL;
    }
    MemorySegment structs = allocate(arena, Layouts.POLICY, policies.size());
    for (int i = 0; i < policies.size(); i++) {
      writePolicy(policies.get(i), element(Layouts.POLICY, structs, i));
    }
    return structs;
  }

  private static void writePolicy(Policy policy, MemorySegment struct) {
    set(Layouts.POLICY, struct, "activation", policy.activation().ordinal());
    set(Layouts.POLICY, struct, "hidden_count", policy.hidden().size());
    long sizes = Layouts.offset(Layouts.POLICY, "hidden_size");
    for (int i = 0; i < policy.hidden().size(); i++) {
      struct.set(ValueLayout.JAVA_INT, sizes + 4L * i, policy.hidden().get(i));
    }
  }

  /** swarmgrad_rates [rates]. */
  private static MemorySegment writeRates(Arena arena, Rates... rates) {
    MemorySegment structs = arena.allocate(Layouts.RATES, rates.length);
    for (int i = 0; i < rates.length; i++) {
      MemorySegment struct = element(Layouts.RATES, structs, i);
      set(Layouts.RATES, struct, "learning_rate", rates[i].learningRate());
      set(Layouts.RATES, struct, "value_learning_rate", rates[i].valueLearningRate());
      set(Layouts.RATES, struct, "entropy_coefficient", rates[i].entropyCoefficient());
    }
    return structs;
  }

  /** swarmgrad_value [size of the map], null where it is empty. */
  static MemorySegment writeValues(Arena arena, Map<String, Double> values) {
    if (values.isEmpty()) {
      return MemorySegment.NULL;
    }
    MemorySegment structs = arena.allocate(Layouts.VALUE, values.size());
    int index = 0;
    for (Map.Entry<String, Double> entry : values.entrySet()) {
      MemorySegment struct = element(Layouts.VALUE, structs, index++);
      set(Layouts.VALUE, struct, "name", arena.allocateFrom(entry.getKey()));
      set(Layouts.VALUE, struct, "value", entry.getValue().doubleValue());
    }
    return structs;
  }

  private static EngineInfo readInfo(MemorySegment struct) {
    StructLayout layout = Layouts.INFO;
    return new EngineInfo(
        getInt(layout, struct, "agent_count"),
        getInt(layout, struct, "horizon"),
        getInt(layout, struct, "threads"),
        InstructionSet.values()[getInt(layout, struct, "isa")],
        getInt(layout, struct, "replays") != 0,
        getInt(layout, struct, "buffer_count"),
        getLong(layout, struct, "cohort_count"),
        getLong(layout, struct, "parameter_count"),
        getLong(layout, struct, "bytes_per_cohort"),
        getLong(layout, struct, "bytes_total"),
        getLong(layout, struct, "flop_per_agent_step"));
  }

  static Group readGroup(MemorySegment struct) {
    StructLayout layout = Layouts.GROUP;
    return new Group(
        getString(layout, struct, "name"),
        getInt(layout, struct, "first_agent"),
        getInt(layout, struct, "agent_count"),
        getInt(layout, struct, "observation_size"),
        getInt(layout, struct, "action_count"),
        getInt(layout, struct, "has_mask") != 0,
        getInt(layout, struct, "hidden_total"),
        getLong(layout, struct, "parameter_offset"),
        getLong(layout, struct, "parameter_count"),
        readValueNetwork(struct));
  }

  private static Group.ValueNetwork readValueNetwork(MemorySegment struct) {
    StructLayout layout = Layouts.GROUP;
    int agents = getInt(layout, struct, "value_agents");
    return agents == 0
        ? null
        : new Group.ValueNetwork(
            agents,
            getInt(layout, struct, "value_observation_size"),
            getInt(layout, struct, "value_hidden_total"),
            getLong(layout, struct, "value_parameter_offset"),
            getLong(layout, struct, "value_parameter_count"));
  }

  private MemorySegment allocateStatistics(Arena arena, long iterations) {
    return allocate(arena, Layouts.STATISTICS, iterations * groups.size());
  }

  /** The statistics of every group of iteration `iteration` of an array [iteration][group]. */
  private List<Statistics> readStatistics(MemorySegment structs, int iteration) {
    List<Statistics> list = new ArrayList<>(groups.size());
    for (int group = 0; group < groups.size(); group++) {
      list.add(
          readStatistics(
              element(Layouts.STATISTICS, structs, (long) iteration * groups.size() + group)));
    }
    return Collections.unmodifiableList(list);
  }

  /** An iteration that was not completed has left its statistics untouched, with 0 episodes. */
  private List<List<Statistics>> readCompleted(MemorySegment structs, int iterations) {
    List<List<Statistics>> list = new ArrayList<>();
    for (int i = 0; i < iterations; i++) {
      List<Statistics> statistics = readStatistics(structs, i);
      if (statistics.get(0).episodes() == 0) {
        break;
      }
      list.add(statistics);
    }
    return list;
  }

  private static Statistics readStatistics(MemorySegment struct) {
    StructLayout layout = Layouts.STATISTICS;
    return new Statistics(
        getInt(layout, struct, "group"),
        getLong(layout, struct, "iteration"),
        getLong(layout, struct, "episodes"),
        getLong(layout, struct, "agent_steps"),
        getDouble(layout, struct, "team_return_mean"),
        getDouble(layout, struct, "team_return_deviation"),
        getDouble(layout, struct, "team_return_minimum"),
        getDouble(layout, struct, "team_return_maximum"),
        getDouble(layout, struct, "agent_return_mean"),
        getDouble(layout, struct, "episode_length_mean"),
        getDouble(layout, struct, "entropy_mean"),
        getDouble(layout, struct, "gradient_norm"),
        getDouble(layout, struct, "weight_variance"),
        getDouble(layout, struct, "effective_sample_size"),
        getDouble(layout, struct, "scale"),
        getDouble(layout, struct, "value_loss"),
        getDouble(layout, struct, "value_gradient_norm"));
  }

  public EngineInfo info() {
    return info;
  }

  /** What it runs on, for people. */
  public String processor() {
    return gpu == null ? info.threads() + " threads, " + info.instructionSet() : gpu;
  }

  public List<Group> groups() {
    return groups;
  }

  public List<List<Statistics>> train(Rates[] rates) {
    return play(
        () -> {
          try (Arena arena = Arena.ofConfined()) {
            int iterations = rates.length;
            MemorySegment structs = writeRates(arena, rates);
            MemorySegment statistics = allocateStatistics(arena, iterations);
            try {
              library.check(
                  () ->
                      (int) functions.train().invokeExact(handle, iterations, structs, statistics));
            } catch (CancelledException cancelled) {
              throw new CancelledException(
                  cancelled.getMessage(), readCompleted(statistics, iterations));
            }
            return readCompleted(statistics, iterations);
          }
        });
  }

  public Gradient gradient() {
    return play(
        () -> {
          try (Arena arena = Arena.ofConfined()) {
            MemorySegment gradient = floats(arena, info.parameterCount());
            MemorySegment statistics = allocateStatistics(arena, 1);
            library.check(
                () -> (int) functions.gradient().invokeExact(handle, gradient, statistics));
            return new Gradient(toFloats(gradient), readStatistics(statistics, 0));
          }
        });
  }

  public void step(float[] gradient, Rates rates) {
    guard.use(
        () -> {
          try (Arena arena = Arena.ofConfined()) {
            MemorySegment values = copy(arena, gradient);
            MemorySegment struct = writeRates(arena, rates);
            library.check(() -> (int) functions.step().invokeExact(handle, values, struct));
          }
        });
  }

  /**
   * Memory that one group's trajectories are written into; its fields become Java arrays
   * afterwards.
   */
  private final class RecordedGroup {
    private final Group group;
    private final int environments;
    private final MemorySegment observation;
    private final MemorySegment action;
    private final MemorySegment reward;
    private final MemorySegment logProbability;
    private final MemorySegment weight;
    private final MemorySegment alive;
    private final MemorySegment mask;
    private final MemorySegment episodeLength;
    private final MemorySegment truncated;
    private final MemorySegment value;
    private final MemorySegment valueError;

    RecordedGroup(Arena arena, Group group, int environments, MemorySegment struct, int index) {
      this.group = group;
      this.environments = environments;
      long cells = (long) info.horizon() * group.agentCount() * environments;
      observation = floats(arena, cells * group.observationSize());
      action = ints(arena, cells);
      reward = floats(arena, cells);
      logProbability = floats(arena, cells);
      weight = floats(arena, cells);
      alive = arena.allocate(cells);
      mask = group.masked() ? arena.allocate(cells * group.actionCount()) : MemorySegment.NULL;
      episodeLength = ints(arena, environments);
      truncated = arena.allocate(environments);
      long valueRow = (long) valueAgents(group) * environments;
      boolean values = valueRow > 0;
      value = values ? floats(arena, (info.horizon() + 1) * valueRow) : MemorySegment.NULL;
      valueError = values ? floats(arena, info.horizon() * valueRow) : MemorySegment.NULL;
      StructLayout layout = Layouts.TRAJECTORIES;
      set(layout, struct, "group", index);
      set(layout, struct, "observation", observation);
      set(layout, struct, "action", action);
      set(layout, struct, "reward", reward);
      set(layout, struct, "log_probability", logProbability);
      set(layout, struct, "weight", weight);
      set(layout, struct, "alive", alive);
      set(layout, struct, "mask", mask);
      set(layout, struct, "episode_length", episodeLength);
      set(layout, struct, "truncated", truncated);
      set(layout, struct, "value", value);
      set(layout, struct, "value_error", valueError);
    }

    Trajectories toTrajectories() {
      return new Trajectories(
          group,
          environments,
          info.horizon(),
          toFloats(observation),
          toInts(action),
          toFloats(reward),
          toFloats(logProbability),
          toFloats(weight),
          toBytes(alive),
          group.masked() ? toBytes(mask) : null,
          toInts(episodeLength),
          toBytes(truncated),
          group.valueNetwork() == null ? null : toFloats(value),
          group.valueNetwork() == null ? null : toFloats(valueError));
    }
  }

  private static int valueAgents(Group group) {
    return group.valueNetwork() == null ? 0 : group.valueNetwork().agents();
  }

  public Recording record(int environments) {
    return play(
        () -> {
          try (Arena arena = Arena.ofConfined()) {
            MemorySegment structs = allocate(arena, Layouts.TRAJECTORIES, groups.size());
            List<RecordedGroup> recorded = new ArrayList<>();
            for (int i = 0; i < groups.size(); i++) {
              MemorySegment struct = element(Layouts.TRAJECTORIES, structs, i);
              recorded.add(new RecordedGroup(arena, groups.get(i), environments, struct, i));
            }
            MemorySegment gradient = floats(arena, info.parameterCount());
            MemorySegment statistics = allocateStatistics(arena, 1);
            library.check(
                () -> (int) functions.record().invokeExact(handle, structs, gradient, statistics));
            return new Recording(
                recorded.stream().map(RecordedGroup::toTrajectories).toList(),
                new Gradient(toFloats(gradient), readStatistics(statistics, 0)));
          }
        });
  }

  public List<Statistics> evaluate(long firstEpisode, long episodes, List<Acting> acting) {
    return play(
        () -> {
          try (Arena arena = Arena.ofConfined()) {
            MemorySegment statistics = allocateStatistics(arena, 1);
            MemorySegment how = copy(arena, acting.stream().mapToInt(Acting::ordinal).toArray());
            library.check(
                () ->
                    (int)
                        functions
                            .evaluate()
                            .invokeExact(handle, firstEpisode, episodes, how, statistics));
            return readStatistics(statistics, 0);
          }
        });
  }

  public void cancel() {
    guard.beside(
        () -> {
          library.check(this::requestCancel);
          return null;
        });
  }

  public Heartbeat heartbeat() {
    return guard.beside(
        () -> {
          try (Arena arena = Arena.ofConfined()) {
            long calls = plays.get();
            MemorySegment beats = arena.allocate(ValueLayout.JAVA_LONG);
            MemorySegment iteration = arena.allocate(ValueLayout.JAVA_LONG);
            library.check(() -> (int) functions.heartbeat().invokeExact(handle, beats, iteration));
            return new Heartbeat(
                calls % 2 != 0,
                calls + beats.get(ValueLayout.JAVA_LONG, 0),
                iteration.get(ValueLayout.JAVA_LONG, 0));
          }
        });
  }

  public long progress() {
    return guard.beside(
        () -> {
          try (Arena arena = Arena.ofConfined()) {
            MemorySegment cohorts = arena.allocate(ValueLayout.JAVA_LONG);
            library.check(() -> (int) functions.progress().invokeExact(handle, cohorts));
            return cohorts.get(ValueLayout.JAVA_LONG, 0);
          }
        });
  }

  public List<Buffer> buffers() {
    return guard.use(
        () -> {
          List<Buffer> buffers = new ArrayList<>();
          try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = allocate(arena, Layouts.BUFFER_INFO);
            for (int i = 0; i < info.bufferCount(); i++) {
              int index = i;
              library.check(() -> (int) functions.buffer().invokeExact(handle, index, struct));
              buffers.add(
                  new Buffer(
                      index,
                      getString(Layouts.BUFFER_INFO, struct, "name"),
                      Buffer.Type.values()[getInt(Layouts.BUFFER_INFO, struct, "type")],
                      getInt(Layouts.BUFFER_INFO, struct, "checkpointed") != 0,
                      getInt(Layouts.BUFFER_INFO, struct, "group"),
                      getLong(Layouts.BUFFER_INFO, struct, "count")));
            }
          }
          return Collections.unmodifiableList(buffers);
        });
  }

  /** The buffer's elements as little-endian bytes. */
  public byte[] read(int index, long count, int elementBytes) {
    return guard.use(
        () -> {
          try (Arena arena = Arena.ofConfined()) {
            MemorySegment values = arena.allocate(count * elementBytes, 8);
            library.check(() -> (int) functions.read().invokeExact(handle, index, values, count));
            return littleEndian(toBytes(values), elementBytes);
          }
        });
  }

  /** Writes elements given as little-endian bytes. */
  public void write(int index, byte[] bytes, int elementBytes) {
    guard.use(
        () -> {
          try (Arena arena = Arena.ofConfined()) {
            MemorySegment values = arena.allocate(bytes.length, 8);
            values.copyFrom(MemorySegment.ofArray(littleEndian(bytes, elementBytes)));
            long count = bytes.length / elementBytes;
            library.check(() -> (int) functions.write().invokeExact(handle, index, values, count));
          }
        });
  }

  /**
   * Swaps between this machine's byte order and little endian; the array itself on little-endian
   * machines.
   */
  private static byte[] littleEndian(byte[] bytes, int elementBytes) {
    if (ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN) {
      return bytes;
    }
    ByteBuffer swapped = ByteBuffer.allocate(bytes.length);
    for (int element = 0; element < bytes.length; element += elementBytes) {
      for (int i = elementBytes - 1; i >= 0; i--) {
        swapped.put(bytes[element + i]);
      }
    }
    return swapped.array();
  }

  public Forward forward(int network, int rows, float[] observation) {
    return guard.use(
        () -> {
          try (Arena arena = Arena.ofConfined()) {
            MemorySegment input = copy(arena, observation);
            Group group = groups.get(network % groups.size());
            boolean isPolicy = network < groups.size();
            long width = isPolicy ? group.hiddenTotal() : group.valueNetwork().hiddenTotal();
            MemorySegment hidden = floats(arena, rows * width);
            MemorySegment logit = floats(arena, (long) rows * (isPolicy ? group.actionCount() : 1));
            long count = rows;
            library.check(
                () ->
                    (int)
                        functions
                            .forward()
                            .invokeExact(handle, network, count, input, hidden, logit));
            return new Forward(toFloats(hidden), toFloats(logit));
          }
        });
  }

  public LogitRows.Result logits(LogitRows rows) {
    return guard.use(
        () -> {
          try (Arena arena = Arena.ofConfined()) {
            long cells = (long) rows.rows() * rows.actionCount();
            MemorySegment action =
                rows.action() == null ? ints(arena, rows.rows()) : copy(arena, rows.action());
            MemorySegment logProbability = floats(arena, cells);
            MemorySegment entropy = floats(arena, rows.rows());
            MemorySegment gradient = floats(arena, cells);
            StructLayout layout = Layouts.LOGIT_ROWS;
            MemorySegment struct = allocate(arena, layout);
            set(layout, struct, "action_count", rows.actionCount());
            set(layout, struct, "rows", (long) rows.rows());
            set(layout, struct, "entropy_coefficient", rows.entropyCoefficient());
            set(layout, struct, "logit", copy(arena, rows.logit()));
            set(layout, struct, "mask", copy(arena, rows.mask()));
            set(layout, struct, "weight", copy(arena, rows.weight()));
            set(layout, struct, "action", action);
            set(layout, struct, "sample", rows.action() == null ? 1 : 0);
            set(layout, struct, "iteration", rows.iteration());
            set(layout, struct, "log_probability", logProbability);
            set(layout, struct, "entropy", entropy);
            set(layout, struct, "gradient", gradient);
            library.check(() -> (int) functions.logits().invokeExact(handle, struct));
            return new LogitRows.Result(
                toInts(action), toFloats(logProbability), toFloats(entropy), toFloats(gradient));
          }
        });
  }

  public Weights weights(Rewards rewards) {
    return guard.use(
        () -> {
          try (Arena arena = Arena.ofConfined()) {
            MemorySegment weight = floats(arena, rewards.reward().length);
            int valueAgents = valueAgents(groups.get(rewards.group()));
            MemorySegment valueError =
                valueAgents == 0
                    ? MemorySegment.NULL
                    : floats(arena, (long) rewards.steps() * valueAgents * rewards.environments());
            long[] cohorts = rewards.cohortFirst();
            StructLayout layout = Layouts.REWARDS;
            MemorySegment struct = allocate(arena, layout);
            set(layout, struct, "group", rewards.group());
            set(layout, struct, "environments", (long) rewards.environments());
            set(layout, struct, "cohort_count", cohorts == null ? 0L : cohorts.length - 1L);
            set(layout, struct, "steps", rewards.steps());
            set(layout, struct, "cohort_first", copy(arena, cohorts));
            set(layout, struct, "reward", copy(arena, rewards.reward()));
            set(layout, struct, "alive", copy(arena, rewards.alive()));
            set(layout, struct, "episode_length", copy(arena, rewards.episodeLength()));
            set(layout, struct, "truncated", copy(arena, rewards.truncated()));
            set(layout, struct, "value", copy(arena, rewards.value()));
            set(layout, struct, "weight", weight);
            set(layout, struct, "value_error", valueError);
            library.check(() -> (int) functions.weights().invokeExact(handle, struct));
            return new Weights(toFloats(weight), valueAgents == 0 ? null : toFloats(valueError));
          }
        });
  }

  public float[] gradientOf(Batch batch) {
    return guard.use(
        () -> {
          try (Arena arena = Arena.ofConfined()) {
            Group group = groups.get(batch.network() % groups.size());
            MemorySegment gradient =
                floats(
                    arena,
                    batch.network() < groups.size()
                        ? group.parameterCount()
                        : group.valueNetwork().parameterCount());
            StructLayout layout = Layouts.BATCH;
            MemorySegment struct = allocate(arena, layout);
            set(layout, struct, "network", batch.network());
            set(layout, struct, "environments", (long) batch.environments());
            set(layout, struct, "steps", batch.steps());
            set(layout, struct, "observation", copy(arena, batch.observation()));
            set(layout, struct, "action", copy(arena, batch.action()));
            set(layout, struct, "weight", copy(arena, batch.weight()));
            set(layout, struct, "alive", copy(arena, batch.alive()));
            set(layout, struct, "mask", copy(arena, batch.mask()));
            library.check(() -> (int) functions.gradientOf().invokeExact(handle, struct, gradient));
            return toFloats(gradient);
          }
        });
  }

  public double fmaPeak() {
    return guard.use(
        () -> {
          try (Arena arena = Arena.ofConfined()) {
            MemorySegment rate = arena.allocate(ValueLayout.JAVA_DOUBLE);
            library.check(() -> (int) functions.fmaPeak().invokeExact(handle, rate));
            return rate.get(ValueLayout.JAVA_DOUBLE, 0);
          }
        });
  }

  @Override
  public void close() {
    guard.close(this::destroy);
  }
}
