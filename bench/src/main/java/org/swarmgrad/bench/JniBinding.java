// The few functions of swarmgrad.h whose calls are timed, as JavaCPP binds them through JNI; the
// library's own binding is the Foreign Function one.
package org.swarmgrad.bench;

import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.annotation.ByPtrPtr;
import org.bytedeco.javacpp.annotation.Cast;
import org.bytedeco.javacpp.annotation.Const;
import org.bytedeco.javacpp.annotation.MemberSetter;
import org.bytedeco.javacpp.annotation.Name;
import org.bytedeco.javacpp.annotation.Opaque;
import org.bytedeco.javacpp.annotation.Platform;
import org.swarmgrad.Swarmgrad;

/**
 * JavaCPP's builder reads this class and generates, compiles and packs the C++ between it and the
 * engine library.
 */
@Platform(include = "swarmgrad/swarmgrad.h", link = "swarmgrad_cpu")
public final class JniBinding {
  static {
    if (Loader.isLoadLibraries()) {
      // Loads the engine library, so that the linker finds it by its name.
      Swarmgrad.version();
      Loader.load();
    }
  }

  private JniBinding() {}

  /** An environment parameter. */
  @Name("swarmgrad_value")
  public static final class Value extends Pointer {
    static {
      Loader.load();
    }

    /** Memory for one. */
    public Value() {
      allocate();
    }

    private native void allocate();

    /** Sets the name. */
    @MemberSetter
    native Value name(@Cast("const char*") BytePointer name);

    /** Sets the value. */
    @MemberSetter
    native Value value(double value);
  }

  /** swarmgrad_simulator*. */
  @Opaque
  @Name("swarmgrad_simulator")
  public static final class Handle extends Pointer {
    /** A null pointer, which swarmgrad_simulator_create sets. */
    public Handle() {
      super((Pointer) null);
    }
  }

  @Name("swarmgrad_isa_available")
  static native int isaAvailable(int isa);

  @Name("swarmgrad_simulator_create")
  private static native int create(
      String environment,
      @Const Value parameters,
      int parameterCount,
      @Cast("uint64_t") long seed,
      int isa,
      @ByPtrPtr Handle simulator);

  @Name("swarmgrad_simulator_destroy")
  private static native int destroy(Handle simulator);

  @Name("swarmgrad_simulator_reset")
  private static native int reset(
      Handle simulator, @Cast("uint32_t") int environment, @Cast("uint32_t") int iteration);

  @Name("swarmgrad_simulator_observe")
  private static native int observe(
      Handle simulator, int agent, float[] observation, @Cast("uint8_t*") byte[] mask);

  @Name("swarmgrad_simulator_observe")
  private static native int observe(
      Handle simulator, int agent, FloatPointer observation, @Cast("uint8_t*") BytePointer mask);

  private static void check(int status) {
    if (status != 0) {
      throw new IllegalStateException("the engine library returned status " + status);
    }
  }

  /**
   * One environment of simple_spread_v3, with memory for an observation inside and outside Java's
   * heap.
   */
  static final class Simulation implements AutoCloseable {
    private final Handle handle = new Handle();
    private final float[] array;
    private final byte[] maskArray;
    private final FloatPointer pointer;
    private final BytePointer maskPointer;

    Simulation(int agents, long seed, int features, int actions) {
      try (Value value = new Value();
          BytePointer name = new BytePointer("agents")) {
        value.name(name).value(agents);
        check(create("simple_spread_v3", value, 1, seed, 0, handle));
      }
      array = new float[features];
      maskArray = new byte[actions];
      pointer = new FloatPointer(features);
      maskPointer = new BytePointer(actions);
    }

    void reset(int environment, int iteration) {
      check(JniBinding.reset(handle, environment, iteration));
    }

    /** Into one Java array, the same every time; JNI copies it in and out. */
    float[] observeArray(int agent) {
      check(observe(handle, agent, array, maskArray));
      return array;
    }

    /** Into memory outside Java's heap, the same every time. */
    Object observeOffHeap(int agent) {
      check(observe(handle, agent, pointer, maskPointer));
      return pointer;
    }

    /** A copy of what observeOffHeap brought. */
    float[] offHeap() {
      float[] values = new float[array.length];
      pointer.get(values);
      return values;
    }

    @Override
    public void close() {
      check(destroy(handle));
      pointer.close();
      maskPointer.close();
    }
  }
}
