using P2PMigrate.Containers.Runc;

namespace P2PMigrate.Containers.Tests.Runc;

public sealed class RuncLogTests
{
    [Theory]
    [InlineData("{\"level\":\"error\",\"msg\":\"first\"}\n{\"level\":\"error\",\"msg\":\"last.\"}\n{\"level\":\"info\",\"msg\":\"chat\"}\ntime=\"now\" level=error\n")]
    [InlineData("{\n  \"msg\": \"first\",\n  \"level\": \"error\"\n}\n{\n  \"msg\": \"last\",\n  \"level\": \"error\"\n}\n{\n  \"msg\": \"cut")]
    public void The_last_error_is_found_on_one_line_or_several(string log)
    {
        using var scratch = new ScratchDirectory();
        string path = Path.Combine(scratch.Path, "log");
        File.WriteAllText(path, log);
        Assert.Equal("crun says: last.", RuncLog.LastError(path, "crun"));
        Assert.Null(RuncLog.LastError(path + ".missing", "crun"));
    }
}
