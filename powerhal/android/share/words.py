"""What may stay in a redacted dump: names that every phone of the platform has.

Exact names, re-entered from the platform (packages of AOSP and Google system images, tags in its services, words in
the names of drivers).
"""

from __future__ import annotations

_PACKAGES = """
android com.android.backupconfirm com.android.bluetooth com.android.calendar com.android.camera2
com.android.carrierconfig com.android.cellbroadcastreceiver com.android.cellbroadcastreceiver.module
com.android.certinstaller com.android.chrome com.android.contacts com.android.deskclock com.android.dialer
com.android.documentsui com.android.dreams.basic com.android.emergency com.android.externalstorage
com.android.htmlviewer com.android.imsserviceentitlement com.android.inputdevices com.android.inputmethod.latin
com.android.keychain com.android.launcher3 com.android.location.fused com.android.managedprovisioning
com.android.mms.service com.android.mtp com.android.networkstack com.android.networkstack.tethering com.android.nfc
com.android.ons com.android.packageinstaller com.android.permissioncontroller com.android.phone
com.android.printspooler com.android.providers.blockednumber com.android.providers.calendar
com.android.providers.contacts com.android.providers.downloads com.android.providers.downloads.ui
com.android.providers.media com.android.providers.media.module com.android.providers.settings
com.android.providers.telephony com.android.providers.userdictionary com.android.se com.android.server.telecom
com.android.settings com.android.sharedstoragebackup com.android.shell com.android.statementservice com.android.stk
com.android.systemui com.android.vending com.android.vpndialogs com.android.wallpaper.livepicker
com.android.wallpaperbackup com.android.webview com.google.android.apps.messaging com.google.android.bluetooth
com.google.android.cellbroadcastreceiver com.google.android.contacts com.google.android.dialer
com.google.android.ext.services com.google.android.gms com.google.android.googlequicksearchbox com.google.android.gsf
com.google.android.inputmethod.latin com.google.android.networkstack com.google.android.packageinstaller
com.google.android.permissioncontroller com.google.android.providers.media.module com.google.android.webview
"""
PACKAGES = frozenset(_PACKAGES.split())

_TAGS = """
* *alarm* *backup* *gcm* *job* *job*r *launch* *overflow* *sync* *vibrator* *walarm* - . ActivityManager-Launch
ActivityManager-Sleep AudioDirectOut AudioIn AudioMMap AudioMix AudioOffload AudioOut CONNECTED CONNECTING
ConnectivityService DHCP DISCONNECTED DISCONNECTING DocumentsUI Empty GnssLocationProvider KeyguardShowWakelock
LocationManagerService NetworkStats NlpCollectorWakeLock NlpWakeLock PhoneWindowManager.mBroadcastWakeLock
PhoneWindowManager.mPowerKeyWakeLock PowerManagerService PowerManagerService.Booting PowerManagerService.Broadcasts
PowerManagerService.Display PowerManagerService.WakeLocks RILJ RILJ_ACK_WL SUSPENDED SyncLoopWakeLock
SyncManagerHandleSyncAlarm UNKNOWN WifiSuspend WindowManager bluetooth_timer deviceidle_going_idle deviceidle_maint
doze dream dreaming fiid-sync keyguard null screen show startDream unknown-wakelock-holder
"""
TAGS = frozenset(_TAGS.split())

_DRIVER_WORDS = """
a abort aborted ac active adsp alarm alarmtimer all ambient aoc aod aoss ap apss audio aux b bam bat battery bclk bcm
bcmdhd bcmsdh bl ble blue bluedroid bluedroidtimer bluetooth bms brcm bt bus button c camera cap cci cdsp cellular
charger chg clk cluster codec collapse config console controller cp cpu cpucl0 cpucl1 cpucl2 cpus cpuss cxo cxsd d
data ddr deep detected devfreq device devices dhd disabled disp display dma dock dp dpm dsi dsp dual dwc dwc3 e early
ebr ec edge either emmc energy event eventpoll eventpoll0 exynos fail failed fault fc fg flashlight fm fs fuel gauge
geofence gic glink gnss gpio gps gpu hal hci hid host hrtimer hs hsi hub i i2c idle in input int intc interrupt
interrupts io iommu ion ipa ipc ipcrtr ipi irq isp jobs kernel key keypad keys kgsl l2 led legacy level light
linkstate lmh lock low lpass m main max maxim mdm mdp mdss mdwl mem memory mhi mic mif mmc mobile_radio modem mpm mpss
msm msmgpio mt mtk musb n net netlink netmgr nfc nl none of off on or otg other p pc pci pcie pd pending phy pin
pinctrl pipe pm pm8xxx pmi pmic pon port power process processors ps psci pwm pwr qbt qcom qcrild qdsp qmi qmux qpnp
qrtr qup radio ram reason reset resume retention ril rmnet rpm rpmh rsc rtc rx s s3 sched screen scsi sd sdcard sde
sdio sdmmc sec secure sensor sensors serial server shub shutdown sim slave sleep slpi smd smem smp smp2p smsm soc some
sound spi spmi ss ssc ssr state subsystem suspend system t tcpm tcs temp temperature thermal threads timer timerfd to
touch touchscreen trustzone tsens tty ttys tx type typec tzd uart ufs uim umts unknown usb user v vadc vbus vdd video
virtual vmin vote voter wake wakelock wakelocks wakeup wcd wcnss wdog wdt wifi wireless wl wlan wled ws x xhci xo
"""
DRIVER_WORDS = frozenset(_DRIVER_WORDS.split())
