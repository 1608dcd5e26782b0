using P2PMigrate.Containers.Runc;

namespace P2PMigrate.Containers.Tests.Runc;

public sealed class CgroupPlacesTests
{
    [Theory]
    [InlineData(null, "/init", "/cg/init/web /cg/web")]
    [InlineData("", "/", "/cg/web")]
    [InlineData("pod/x", "/a/b", "/cg/a/b/pod/x /cg/a/pod/x /cg/pod/x")]
    [InlineData("/kube/pod1/", "/a", "/cg/kube/pod1")]
    [InlineData("user-1.slice:runc:web", "/a", "/cg/user.slice/user-1.slice/runc-web.scope")]
    [InlineData(":docker:web", "/a", "/cg/system.slice/docker-web.scope")]
    [InlineData("-.slice::web", "/a", "/cg/web.scope")]
    public void Runc_puts_a_container_where_its_configuration_and_its_own_place_say(string? cgroupsPath, string own, string expected) =>
        Assert.Equal(expected.Split(' '), CgroupPlaces.Candidates(cgroupsPath, "web", "/cg", own));
}
