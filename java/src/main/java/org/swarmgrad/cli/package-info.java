/** The command line, one class a command; everything it does can be done through org.swarmgrad. */
package org.swarmgrad.cli;
