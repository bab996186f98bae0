// The device that the contract tests' engines run on; asserts nothing.
package org.swarmgrad;

/**
 * Tests tagged "contract" hold for every engine: they run once on the CPU, and once more with the
 * system property test.device, against whatever library org.swarmgrad.library.cuda names.
 */
public final class TestDevice {
  /** The CPU, unless the property says otherwise. */
  public static final Device DEVICE = Device.parse(System.getProperty("test.device", "cpu"));

  private TestDevice() {}

  /**
   * How much of something to test: an emulated GPU is thousands of times slower than a CPU.
   *
   * @param usual on the CPU
   * @param elsewhere on other devices
   * @return one of them
   */
  public static int amount(int usual, int elsewhere) {
    return DEVICE.backend() == Backend.CPU ? usual : elsewhere;
  }
}
