using System.Net;
using P2PMigrate.Containers.Linux;

namespace P2PMigrate.Containers.Tests.Linux;

public sealed class AnnouncementTests
{
    [Fact]
    public void A_frame_asks_everybody_for_the_address_that_it_comes_from() => Assert.Equal(
        "FFFFFFFFFFFF02420A14000A0806" + "0001080006040001" + "02420A14000A0A14000A" + "0000000000000A14000A",
        Convert.ToHexString(Announcement.Frame([0x02, 0x42, 0x0A, 0x14, 0x00, 0x0A], IPAddress.Parse("10.20.0.10"))));
}
