namespace P2PMigrate.Snapshot.Tests.Support;

/// <summary>
/// Tests that ask whether a file is locked run alone: a program that another test starts has, between fork and exec, every file open that this process has, locks included.
/// </summary>
[CollectionDefinition(DisableParallelization = true)]
public sealed class FileLocks;
