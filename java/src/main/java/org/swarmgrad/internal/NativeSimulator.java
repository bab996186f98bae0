// Marshals Simulator's calls on one native environment; no rule of any environment is here.
package org.swarmgrad.internal;

import static org.swarmgrad.internal.Calls.copy;
import static org.swarmgrad.internal.Layouts.allocate;
import static org.swarmgrad.internal.Layouts.getInt;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.swarmgrad.EnvironmentSpec;
import org.swarmgrad.Group;
import org.swarmgrad.InstructionSet;
import org.swarmgrad.Simulator;

public final class NativeSimulator implements AutoCloseable {
  private final HandleGuard guard = new HandleGuard("simulator");
  private final MemorySegment handle;
  private final List<Group> groups = new ArrayList<>();
  private final List<Simulator.Field> fields = new ArrayList<>();
  private final int agentCount;
  private final int horizon;

  public NativeSimulator(EnvironmentSpec environment, long seed, InstructionSet instructionSet) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment id = arena.allocateFrom(environment.id());
      MemorySegment values = NativeEngine.writeValues(arena, environment.parameters());
      int count = environment.parameters().size();
      int isa = instructionSet.ordinal();
      MemorySegment pointer = arena.allocate(ValueLayout.ADDRESS);
      check(
          () ->
              (int)
                  functions().simulatorCreate().invokeExact(id, values, count, seed, isa, pointer));
      handle = pointer.get(ValueLayout.ADDRESS, 0);
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment groupCount = arena.allocate(ValueLayout.JAVA_INT);
      MemorySegment agents = arena.allocate(ValueLayout.JAVA_INT);
      MemorySegment fieldCount = arena.allocate(ValueLayout.JAVA_INT);
      MemorySegment steps = arena.allocate(ValueLayout.JAVA_INT);
      check(
          () ->
              (int)
                  functions()
                      .simulatorShape()
                      .invokeExact(handle, groupCount, agents, fieldCount, steps));
      agentCount = agents.get(ValueLayout.JAVA_INT, 0);
      horizon = steps.get(ValueLayout.JAVA_INT, 0);
      for (int i = 0; i < groupCount.get(ValueLayout.JAVA_INT, 0); i++) {
        int index = i;
        MemorySegment struct = allocate(arena, Layouts.GROUP);
        check(() -> (int) functions().simulatorGroup().invokeExact(handle, index, struct));
        groups.add(NativeEngine.readGroup(struct));
      }
      for (int i = 0; i < fieldCount.get(ValueLayout.JAVA_INT, 0); i++) {
        int index = i;
        MemorySegment struct = allocate(arena, Layouts.FIELD);
        check(() -> (int) functions().simulatorField().invokeExact(handle, index, struct));
        fields.add(
            new Simulator.Field(
                index,
                Layouts.getString(Layouts.FIELD, struct, "name"),
                getInt(Layouts.FIELD, struct, "is_integer") != 0,
                getInt(Layouts.FIELD, struct, "is_chance") != 0,
                getInt(Layouts.FIELD, struct, "rows"),
                getInt(Layouts.FIELD, struct, "columns")));
      }
    } catch (Throwable failure) {
      check(() -> (int) functions().simulatorDestroy().invokeExact(handle));
      throw failure;
    }
  }

  private static NativeFunctions functions() {
    return NativeLibrary.cpu().functions();
  }

  private static void check(Calls.StatusCall call) {
    NativeLibrary.cpu().check(call);
  }

  public List<Group> groups() {
    return Collections.unmodifiableList(groups);
  }

  public List<Simulator.Field> fields() {
    return Collections.unmodifiableList(fields);
  }

  public int agentCount() {
    return agentCount;
  }

  public int horizon() {
    return horizon;
  }

  public void reset(int environment, int iteration) {
    guard.use(
        () ->
            check(
                () ->
                    (int)
                        functions().simulatorReset().invokeExact(handle, environment, iteration)));
  }

  public double[] get(Simulator.Field field) {
    return guard.use(
        () -> {
          try (Arena arena = Arena.ofConfined()) {
            MemorySegment values = arena.allocate(ValueLayout.JAVA_DOUBLE, field.size());
            int index = field.index();
            check(() -> (int) functions().simulatorGet().invokeExact(handle, index, values));
            return values.toArray(ValueLayout.JAVA_DOUBLE);
          }
        });
  }

  public void set(Simulator.Field field, double[] values) {
    guard.use(
        () -> {
          try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = copy(arena, values);
            int index = field.index();
            check(() -> (int) functions().simulatorSet().invokeExact(handle, index, memory));
          }
        });
  }

  public Simulator.Observation observe(int agent, Group group) {
    return guard.use(
        () -> {
          try (Arena arena = Arena.ofConfined()) {
            MemorySegment observation = Calls.floats(arena, group.observationSize());
            MemorySegment mask = arena.allocate(group.actionCount());
            check(
                () ->
                    (int)
                        functions()
                            .simulatorObserve()
                            .invokeExact(handle, agent, observation, mask));
            return new Simulator.Observation(Calls.toFloats(observation), Calls.toBytes(mask));
          }
        });
  }

  public Simulator.Step step(int[] actions) {
    return guard.use(
        () -> {
          try (Arena arena = Arena.ofConfined()) {
            MemorySegment action = copy(arena, actions);
            MemorySegment reward = Calls.floats(arena, agentCount);
            MemorySegment alive = arena.allocate(agentCount);
            MemorySegment done = arena.allocate(ValueLayout.JAVA_INT);
            check(
                () ->
                    (int)
                        functions()
                            .simulatorStep()
                            .invokeExact(handle, action, reward, alive, done));
            return new Simulator.Step(
                Calls.toFloats(reward),
                Calls.toBytes(alive),
                done.get(ValueLayout.JAVA_INT, 0) != 0);
          }
        });
  }

  @Override
  public void close() {
    guard.close(() -> check(() -> (int) functions().simulatorDestroy().invokeExact(handle)));
  }
}
