// Which vector instructions the CPU engine uses; the numbers are the same bits on all of them.
package org.swarmgrad;

/** Vector instructions of the CPU engine. The choice changes speed, never a bit of the result. */
public enum InstructionSet {
  /** The widest that processor and library have. */
  AUTO,
  /** x86-64 with AVX2 and FMA. */
  AVX2,
  /** x86-64 with AVX-512. */
  AVX512,
  /** aarch64. */
  NEON;

  /**
   * Reads a choice as written on the command line.
   *
   * @param text for example "avx2"
   * @return the choice
   * @throws IllegalArgumentException naming the allowed choices
   */
  public static InstructionSet parse(String text) {
    return Labels.parse(InstructionSet.class, "isa", text);
  }

  @Override
  public String toString() {
    return Labels.label(this);
  }
}
