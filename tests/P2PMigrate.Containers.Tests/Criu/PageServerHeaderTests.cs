using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Tests.Criu;

public sealed class PageServerHeaderTests
{
    private static readonly PageServerHeader s_header = new(PageServerCommand.AddFlagged, 4, 23, 0x5570_1000, 0x101);

    [Theory]
    [InlineData("4.1.1", "06 00 04 00 17 00 00 00 00 10 70 55 00 00 00 00 01 01 00 00 00 00 00 00")]
    [InlineData("4.2.1", "06 00 04 00 00 00 00 00 17 00 00 00 00 00 00 00 00 10 70 55 00 00 00 00 01 01 00 00 00 00 00 00")]
    public void A_header_has_the_bytes_that_this_version_of_criu_puts_on_the_wire(string criu, string bytes)
    {
        byte[] wire = Convert.FromHexString(bytes.Replace(" ", ""));
        ToolVersion.TryFind(criu, out ToolVersion version);
        var dialect = PageServerDialect.Of(version);
        Assert.Equal(wire.Length, dialect.HeaderSize);
        Assert.True(PageServerHeader.TryParse(wire, dialect, out PageServerHeader header));
        Assert.Equal(s_header, header);

        byte[] written = new byte[dialect.HeaderSize];
        header.Write(written, dialect);
        Assert.Equal(wire, written);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_header_of_any_other_length_is_refused(bool wide)
    {
        var dialect = new PageServerDialect(wide);
        byte[] bytes = new byte[40];
        for (int length = 0; length <= bytes.Length; length++)
        {
            Assert.Equal(length == dialect.HeaderSize, PageServerHeader.TryParse(bytes.AsSpan(0, length), dialect, out _));
        }
    }
}
