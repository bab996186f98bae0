// The description of one named array inside an engine; its values are read and written through the
// engine.
package org.swarmgrad;

/**
 * A named array of an engine.
 *
 * @param index for the engine
 * @param name for example "adam_first_moment"
 * @param type of its elements
 * @param checkpointed whether a checkpoint must hold it; otherwise every iteration recomputes it
 * @param group index, or -1 for the whole engine
 * @param count elements
 */
public record Buffer(
    int index, String name, Type type, boolean checkpointed, int group, long count) {
  /** Element types. */
  public enum Type {
    /** 32-bit float. */
    F32(4),
    /** 64-bit float. */
    F64(8),
    /** 64-bit integer. */
    I64(8);

    private final int bytes;

    Type(int bytes) {
      this.bytes = bytes;
    }

    /**
     * Size of an element.
     *
     * @return bytes
     */
    public int bytes() {
      return bytes;
    }
  }

  /**
   * Name that no other buffer of the engine has.
   *
   * @return "name", or "group.INDEX.name" for a group's own buffer
   */
  public String uniqueName() {
    return group < 0 ? name : "group." + group + "." + name;
  }
}
