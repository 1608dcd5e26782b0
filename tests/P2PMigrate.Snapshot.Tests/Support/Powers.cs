namespace P2PMigrate.Snapshot.Tests.Support;

/// <summary>What a test needs from the machine.</summary>
internal static class Powers
{
    /// <summary>Skips the test where nobody may make devices, change owners and set trusted attributes.</summary>
    public static void NeedRoot() => Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root: devices, owners, trusted xattrs");
}
